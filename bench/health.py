"""`python -m bench.health`: battery health against the simulator's truth, a stratified fleet over a year.

Readings go from the simulator's arrays straight through the kernels: the wire and the database add nothing to an
estimate, and a year of 700 sets is 370 million readings. So quiet float is sampled every 15 minutes, which no figure
of a discharge depends on, and every 60 s from an hour before a discharge until its charge is back: what a set really
sends. Truth is the simulator's `Batteries.soh` and the moment at which its BMS opens.
"""
