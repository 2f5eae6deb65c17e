"""Publishes readings at QoS 1 with Debian's python3-paho-mqtt: PORT USER TOPIC SENSOR COUNT FIRST_MS; the password is on stdin.

Ends with 0 once every PUBACK has come.
"""

import sys

import paho.mqtt.client as mqtt

port, user, topic, sensor, count, first = sys.argv[1:]
password = sys.stdin.readline().strip()

client = mqtt.Client(client_id=user)
client.username_pw_set(user, password)
client.max_inflight_messages_set(100)
client.connect("127.0.0.1", int(port))
client.loop_start()
published = [
    client.publish(topic, f"traffic_flow,sensor={sensor} vehicles={i % 100} {int(first) + i}", qos=1)
    for i in range(int(count))
]
for message in published:
    message.wait_for_publish()
client.disconnect()
client.loop_stop()
sys.exit(0 if all(message.is_published() for message in published) else 1)
