"""Stream processing: the Faust app, the transaction engine, and the kernels that it feeds."""
