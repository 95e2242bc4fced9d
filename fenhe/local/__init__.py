"""The embedded local stack: a broker, Kafka and PostgreSQL on 127.0.0.1, real ones where the machine has them.

For development, tests and the demo. Nothing here is meant for production: all services trust whoever is on the machine.
"""

from fenhe.local.kafka import ApacheKafka, Kafka, MockKafka, find_kafka
from fenhe.local.mqtt import Amqtt, Broker, Mosquitto, find_mqtt
from fenhe.local.postgres import Postgres, PostgresBinaries, find_postgres_binaries
from fenhe.local.processes import Process, ProcessDiedError, free_port, together, wait_until
from fenhe.local.services import MissingServiceError, Services, default_directory, scratch_directory
from fenhe.local.stack import Stack

__all__ = [
    "Amqtt",
    "ApacheKafka",
    "Broker",
    "Kafka",
    "MissingServiceError",
    "MockKafka",
    "Mosquitto",
    "Postgres",
    "PostgresBinaries",
    "Process",
    "ProcessDiedError",
    "Services",
    "Stack",
    "default_directory",
    "find_kafka",
    "find_mqtt",
    "find_postgres_binaries",
    "free_port",
    "scratch_directory",
    "together",
    "wait_until",
]
