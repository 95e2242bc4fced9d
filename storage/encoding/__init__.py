"""Rows as the bytes that PostgreSQL takes: arrays as parameters, binary COPY, columns of readings."""
