"""The hunter: everything runs, everything is broken at random, and at the end nothing may be missing."""
