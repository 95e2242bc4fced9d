"""What stands between a Kafka record and the kernels: decoding, and the registry's judgement."""
