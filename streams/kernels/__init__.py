"""The kernels: pure folds and views over plain values. They import `schemas` and nothing else of ours."""
