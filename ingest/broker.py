"""The MQTT session: one persistent session a broker, MQTT 5 where the broker speaks it.

The subscription is a plain one, because those are what Mosquitto keeps when it restarts; of several collectors the one
whose turn it is (`ingest/lease.py`) connects under the session's name and finds what has waited.

paho is driven by the collector's own loop instead of its thread, so that reading, acknowledging and Kafka's
callbacks happen on one thread: nothing to lock, nothing to hand over.
"""

from __future__ import annotations

import select
import ssl
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.lean_paho import BlockReadingClient
from schemas.topics import SUBSCRIPTION, session_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import paho.mqtt.client as mqtt

    from schemas.settings import CollectorSettings

log = structlog.get_logger(__name__)

KEEPALIVE_S = 30
RECONNECT_S = (0.2, 5.0)
"""First and longest wait between two attempts to connect."""
ANSWER_S = 5.0
"""How long a broker may take to answer CONNECT."""
TAKEN_OVER_S = 5.0
"""Wait before connecting again after another collector has taken the session over: by then it is known whose it is."""
_TAKEN_OVER = "Session taken over"
READS_PER_TURN = 256
"""Messages read in one turn before the log gets its turn."""


class BrokerSession:
    """Receives messages with manual acknowledgement, over any number of reconnections."""

    def __init__(
        self,
        settings: CollectorSettings,
        on_message: Callable[[str, bytes, int, bool], None],
        *,
        may_connect: Callable[[], bool],
        on_ready: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        """`on_message` takes topic, payload, packet identifier, and whether it was published to be retained."""
        self._settings = settings
        self._name = session_name(settings.mqtt_group)
        self._may_connect = may_connect
        self._on_ready = on_ready
        self._on_lost = on_lost
        self._on_message = on_message
        self._protocol = MQTTProtocolVersion.MQTTv5
        self._probing = False
        """Asking without properties and under another name whether MQTT 5 is spoken at all."""
        self._client = self._new_client()
        self._connected = False
        self._answer_by = 0.0
        self._retry_at = 0.0
        self._retry_s = RECONNECT_S[0]
        self._received = 0
        self.generation = 0
        """Counts connections: a packet identifier means nothing on another one."""

    def _new_client(self) -> BlockReadingClient:
        settings = self._settings
        five = self._protocol is MQTTProtocolVersion.MQTTv5
        client = BlockReadingClient(
            CallbackAPIVersion.VERSION2,
            client_id=f"{self._name}-probe" if self._probing else self._name,
            protocol=self._protocol,
            manual_ack=True,
            clean_session=None if five else False,
        )
        if settings.mqtt_username is not None:
            password = settings.mqtt_password
            client.username_pw_set(settings.mqtt_username, password.get_secret_value() if password else None)
        if urlsplit(settings.mqtt_url).scheme == "mqtts":
            client.tls_set(ca_certs=settings.mqtt_ca_file, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        client.on_connect = self._connected_to
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_message = self._message
        return client

    def turn(self, wait_s: float) -> None:
        """Read and write whatever there is, waiting at most `wait_s` for something; reconnects when it must."""
        socket = self._client.socket()
        if socket is None:
            self._reconnect(wait_s)
            return
        # Bytes already read, and bytes TLS has already decrypted, select cannot see.
        pending = self._client.buffered or getattr(socket, "pending", int)()
        readable, writable, _ = select.select(
            [socket], [socket] if self._client.want_write() else [], [], 0 if pending else wait_s
        )
        if readable or pending:
            for _ in range(READS_PER_TURN):
                if self._connected and self._client.read_publishes(self._published, READS_PER_TURN):
                    break
                before = self._received
                if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS or self._received == before:
                    break
        if writable or self._client.want_write():
            self._client.loop_write()
        self._client.loop_misc()
        if not self._connected and time.monotonic() > self._answer_by:
            self._try_other_version()

    def acknowledge(self, packet_ids: Sequence[int], generation: int) -> None:
        """Send PUBACKs, unless the connection the messages came over is gone: the broker will deliver them again.

        A message published at QoS 0 has no packet identifier and wants no PUBACK; Mosquitto hangs up on one.
        """
        if generation == self.generation and self._connected:
            self._client.acknowledge([packet_id for packet_id in packet_ids if packet_id])

    def close(self) -> None:
        """Send what is left to send and disconnect; the broker keeps the session and its messages."""
        deadline = time.monotonic() + 2
        while self._client.want_write() and time.monotonic() < deadline:
            self._client.loop_write()
        self._client.disconnect()
        while self._client.want_write() and time.monotonic() < deadline:
            self._client.loop_write()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us."""
        return self._connected

    def _reconnect(self, wait_s: float) -> None:
        now = time.monotonic()
        if now < self._retry_at or not self._may_connect():
            time.sleep(min(wait_s, self._retry_at - now) if now < self._retry_at else wait_s)
            return
        self._retry_at = now + self._retry_s
        self._retry_s = min(2 * self._retry_s, RECONNECT_S[1])
        self._answer_by = now + ANSWER_S
        parts = urlsplit(self._settings.mqtt_url)
        try:
            self._client.connect(
                parts.hostname or "",
                parts.port or (8883 if parts.scheme == "mqtts" else 1883),
                keepalive=KEEPALIVE_S,
                **self._session_options(),
            )
        except (OSError, ValueError) as error:
            log.warning("broker unreachable", url=self._settings.mqtt_url, error=str(error), retry_s=self._retry_s)

    def _try_other_version(self) -> None:
        """Ask in the other way: amqtt, for one, never answers an MQTT 5 CONNECT that has properties.

        Only a plain refusal of MQTT 5 makes us speak 3.1.1: a broker that is merely slow keeps our session.
        """
        log.warning("broker does not answer", url=self._settings.mqtt_url, waited_s=ANSWER_S)
        self._probing = not self._probing and self._protocol is MQTTProtocolVersion.MQTTv5
        self._client = self._new_client()
        self._retry_at = 0.0

    def _session_options(self) -> dict[str, Any]:
        if self._protocol is not MQTTProtocolVersion.MQTTv5:
            return {}
        if self._probing:
            return {"clean_start": True}
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._settings.mqtt_session_expiry_s
        properties.ReceiveMaximum = self._settings.receive_maximum
        return {"clean_start": False, "properties": properties}

    def _connected_to(self, client: mqtt.Client, _data: object, flags: Any, reason: Any, _more: object) -> None:  # noqa: ANN401
        if reason.is_failure:
            if self._protocol is MQTTProtocolVersion.MQTTv5 and "protocol version" in str(reason).lower():
                log.warning("broker speaks no MQTT 5: falling back to 3.1.1")
                self._protocol = MQTTProtocolVersion.MQTTv311
                self._probing = False
                self._client = self._new_client()
                self._retry_at = 0.0
            else:
                log.error("broker refuses us", reason=str(reason))
            return
        if self._probing:
            self._probing = False
            self._client = self._new_client()
            self._retry_at = 0.0
            return
        self.generation += 1
        self._connected = True
        self._retry_s = RECONNECT_S[0]
        if self._protocol is MQTTProtocolVersion.MQTTv5:
            options = SubscribeOptions(
                qos=1, retainAsPublished=True, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
            )
            client.subscribe(SUBSCRIPTION, options=options)
            # Earlier versions left a shared subscription in the session: with it every reading would come twice.
            client.unsubscribe(f"$share/{self._settings.mqtt_group}/{SUBSCRIPTION}")
        else:
            client.subscribe(SUBSCRIPTION, qos=1)
        log.info("connected", broker=self._settings.mqtt_url, session_present=flags.session_present)

    def _subscribed(self, _client: mqtt.Client, _data: object, _mid: int, reasons: Any, _more: object) -> None:  # noqa: ANN401
        if any(reason.is_failure for reason in reasons):
            log.error("broker refuses the subscription", reasons=[str(reason) for reason in reasons])
        else:
            self._on_ready()

    def _disconnected(self, _client: mqtt.Client, _data: object, _flags: object, reason: object, _more: object) -> None:
        if self._connected:
            log.warning("disconnected", reason=str(reason))
            self._on_lost()
        if str(reason) == _TAKEN_OVER:
            self._retry_at = time.monotonic() + TAKEN_OVER_S
        self._connected = False

    def _message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        """Take a message that went through paho, which decodes its topic on access; the bytes are what there is."""
        self._published(message._topic, bytes(message.payload), message.mid, message.retain)  # noqa: SLF001

    def _published(self, topic: bytes, payload: bytes, packet_id: int, retained: bool) -> None:  # noqa: FBT001 - as MQTT has it
        self._received += 1
        try:
            name = topic.decode()
        except UnicodeDecodeError:
            name = repr(topic)
        self._on_message(name, payload, packet_id, retained)
