"""What detectors are tested and measured on: series, plants, units and sets, with something wrong or without."""
