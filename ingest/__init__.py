"""MQTT collectors: take in, judge by the message alone, hand to Kafka, acknowledge after delivery."""
