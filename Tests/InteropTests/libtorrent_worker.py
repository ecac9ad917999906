#!/usr/bin/env python3
"""One libtorrent session as a process: JSON lines in, JSON events out. Finds its peers through the DHT alone.

The first argument is a JSON object: ip, port, bootstrap (`ip:port` or empty), and what to do: torrent or magnet, folder;
or values of BEP 44: `put` (list of {text} or {text, private, public, salt}), `get` (list of {target} or {public, salt});
or `sample`, the address of a node to ask as BEP 51 says; or `peers`, an info-hash whose peers to look up. Those are repeated until they are answered.
"""
import json
import sys
import time

import libtorrent as lt

config = json.loads(sys.argv[1])


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


session = lt.session({
    "listen_interfaces": f"{config['ip']}:{config['port']}",
    "outgoing_interfaces": config["ip"].strip("[]"),
    "enable_dht": True, "dht_bootstrap_nodes": config["bootstrap"],
    "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "enable_outgoing_utp": False, "enable_incoming_utp": False,
    # Several nodes on one machine: the rules against neighbours in the DHT are for the public network.
    "dht_restrict_routing_ips": False, "dht_restrict_search_ips": False,
    "dht_ignore_dark_internet": False, "dht_prefer_verified_node_ids": False,
    "dht_enforce_node_id": False, "dht_announce_interval": 5,
    "allow_multiple_connections_per_ip": True,
    # Policies: 1 tries encryption first, 2 is plain text only. Levels: 3 is either, 1 plain text behind the handshake.
    "out_enc_policy": 1 if config.get("encryption") else 2, "in_enc_policy": 1 if config.get("encryption") else 2,
    "allowed_enc_level": 3 if config.get("encryption") else 1, "prefer_rc4": bool(config.get("encryption")),
    "alert_mask": int(lt.alert.category_t.status_notification | lt.alert.category_t.error_notification
                      | lt.alert.category_t.storage_notification | lt.alert.category_t.dht_notification
                      | lt.alert.category_t.dht_operation_notification),
})
say("listening", address=f"{config['ip']}:{session.listen_port()}", version=lt.__version__)

handle = None
if config.get("torrent") or config.get("magnet"):
    if config.get("torrent"):
        parameters = lt.add_torrent_params()
        parameters.ti = lt.torrent_info(config["torrent"])
    else:
        parameters = lt.parse_magnet_uri(config["magnet"])
    parameters.save_path = config["folder"]
    parameters.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    parameters.flags |= lt.torrent_flags.disable_lsd | lt.torrent_flags.disable_pex
    handle = session.add_torrent(parameters)



def put(item):
    if "public" not in item:
        return session.dht_put_immutable_item(item["text"])
    session.dht_put_mutable_item(bytes.fromhex(item["private"]), bytes.fromhex(item["public"]), item["text"].encode(),
                                 item["salt"].encode())


def get(item):
    if "target" in item:
        session.dht_get_immutable_item(lt.sha1_hash(bytes.fromhex(item["target"])))
    else:
        session.dht_get_mutable_item(bytes.fromhex(item["public"]), item["salt"].encode())


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def ask_dht():
    """Everything that was not answered yet."""
    for item in config.get("put", []):
        put(item)
    for item in config.get("get", []):
        get(item)
    if config.get("peers"):
        session.dht_get_peers(lt.sha1_hash(bytes.fromhex(config["peers"])))
    if config.get("sample"):
        host, port = config["sample"].rsplit(":", 1)
        session.dht_sample_infohashes((host, int(port)), lt.sha1_hash(bytes(20)))


ask_at = time.monotonic() + 2
complete = False
while True:
    session.wait_for_alert(250)
    if time.monotonic() >= ask_at:
        ask_at = time.monotonic() + 3
        ask_dht()
    for alert in session.pop_alerts():
        if isinstance(alert, (lt.torrent_error_alert, lt.file_error_alert, lt.listen_failed_alert)):
            say("error", message=alert.message())
        elif isinstance(alert, lt.dht_put_alert) and alert.num_success > 0:
            if any(alert.public_key):
                config["put"] = [i for i in config["put"] if i.get("public") != bytes(alert.public_key).hex()]
                say("put", key=bytes(alert.public_key).hex(), nodes=alert.num_success, seq=alert.seq)
            else:
                config["put"] = [i for i in config["put"] if "public" in i]
                say("put", target=str(alert.target), nodes=alert.num_success)
        elif isinstance(alert, lt.dht_immutable_item_alert) and alert.item:
            config["get"] = [i for i in config["get"] if i.get("target") != str(alert.target)]
            say("item", target=str(alert.target), value=text(alert.item))
        elif isinstance(alert, lt.dht_mutable_item_alert) and alert.item:
            say("item", key=bytes(alert.key).hex(), value=text(alert.item), seq=alert.seq)
        elif isinstance(alert, lt.dht_get_peers_reply_alert):
            say("peers", peers=["%s:%d" % peer for peer in alert.peers()])
        elif isinstance(alert, lt.dht_sample_infohashes_alert) and alert.num_infohashes:
            config["sample"] = None
            say("sample", total=alert.num_infohashes, interval=str(alert.interval), samples=[str(s) for s in alert.samples])
        elif isinstance(alert, lt.cache_flushed_alert):
            say("complete", downloaded=handle.status().total_payload_download)
    if handle and not complete and handle.status().is_seeding:
        complete = True
        handle.flush_cache()  # complete in its memory is not yet complete on disk
