#!/usr/bin/env python3
"""One libtorrent session as a process: JSON lines in, JSON events out. Finds its peers through the DHT alone.

The first argument is a JSON object: ip, port, bootstrap (`ip:port` or empty), and what to do: torrent or magnet, folder.
"""
import json
import sys

import libtorrent as lt

config = json.loads(sys.argv[1])


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


session = lt.session({
    "listen_interfaces": f"{config['ip']}:{config['port']}",
    "outgoing_interfaces": config["ip"],
    "enable_dht": True, "dht_bootstrap_nodes": config["bootstrap"],
    "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "enable_outgoing_utp": False, "enable_incoming_utp": False,
    # Several nodes on one machine: the rules against neighbours in the DHT are for the public network.
    "dht_restrict_routing_ips": False, "dht_restrict_search_ips": False,
    "dht_ignore_dark_internet": False, "dht_prefer_verified_node_ids": False,
    "dht_enforce_node_id": False, "dht_announce_interval": 5,
    "allow_multiple_connections_per_ip": True,
    "out_enc_policy": 2, "in_enc_policy": 2,  # 2 is plain text only
    "alert_mask": int(lt.alert.category_t.status_notification | lt.alert.category_t.error_notification
                      | lt.alert.category_t.storage_notification),
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

complete = False
while True:
    session.wait_for_alert(250)
    for alert in session.pop_alerts():
        if isinstance(alert, (lt.torrent_error_alert, lt.file_error_alert, lt.listen_failed_alert)):
            say("error", message=alert.message())
        elif isinstance(alert, lt.cache_flushed_alert):
            say("complete", downloaded=handle.status().total_payload_download)
    if handle and not complete and handle.status().is_seeding:
        complete = True
        handle.flush_cache()  # complete in its memory is not yet complete on disk
