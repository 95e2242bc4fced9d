"""Kinds of chart, a module each: what a panel's rows become on the page."""
