"""The bus on Kafka, by kafka-python: partitions, groups and commits are Kafka's own."""
