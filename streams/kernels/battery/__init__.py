"""Second-life (梯次) battery sets and the power systems they back up."""
