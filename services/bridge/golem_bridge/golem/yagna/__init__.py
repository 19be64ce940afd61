"""The boundary on a real yagna daemon (made for and measured with 0.17.6), through yapapi's REST clients.

client.py     YagnaGolem: all of the below behind one GolemPort
market.py activity.py network.py payment.py    one API each
channel.py    a TCP connection to a node, as messages of a websocket
documents.py  reading what providers send: hostile until it has passed here
books.py      reading what yagna's payment module keeps; amounts.py: both kinds' numbers
rest.py       requests, time limits, answers
failures.py   what yagna answers, as errors of the bridge
"""

from golem_bridge.golem.yagna.client import YagnaGolem

__all__ = ["YagnaGolem"]
