"""A client of chunk folders as it was before shoal: speaks the documented lines, frames nothing, checks nothing.

    old_chunk_client.py -folder D -transfer_port 6000 -name client1 -tracker_port 5100 [-nohash]
"""
import hashlib
import os
import socket
import sys
import threading
import time


def arguments():
    words = sys.argv[1:]
    values = {words[i][1:]: words[i + 1] for i in range(len(words) - 1) if words[i].startswith("-")}
    return values, "-nohash" in words


def read_list(folder):
    chunks, count = {}, 0
    for line in open(os.path.join(folder, "local_chunks.txt")):
        number, name = line.strip().split(",")
        if name == "LASTCHUNK":
            count = int(number)
        else:
            chunks[int(number)] = name
    return chunks, count


def write_list(folder, chunks, count):
    with open(os.path.join(folder, "local_chunks.txt"), "w") as f:
        for number, name in chunks.items():
            f.write(f"{number},{name}\n")
        f.write(f"{count},LASTCHUNK\n")


def serve(folder, chunks, port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("localhost", port))
    listener.listen()
    while True:
        peer, _ = listener.accept()
        verb, number = peer.recv(1024).decode().split(",")
        if verb == "REQUEST_CHUNK" and int(number) in chunks:
            peer.sendall(open(os.path.join(folder, chunks[int(number)]), "rb").read())
        peer.close()


def fetch(host, port, number):
    with socket.create_connection((host, port), 10) as peer:
        peer.sendall(f"REQUEST_CHUNK,{number}".encode())
        data = b""
        while True:
            part = peer.recv(65536)
            if not part:
                return data
            data += part


def main():
    values, no_hash = arguments()
    folder, port = values["folder"], int(values["transfer_port"])
    chunks, count = read_list(folder)
    threading.Thread(target=serve, args=(folder, chunks, port), daemon=True).start()
    tracker = socket.create_connection(("localhost", int(values["tracker_port"])), 10)

    def report(number):
        data = open(os.path.join(folder, chunks[number]), "rb").read()
        field = "" if no_hash else hashlib.sha1(data).hexdigest() + ","
        tracker.sendall(f"LOCAL_CHUNKS,{number},{field}localhost,{port}".encode())

    for number in list(chunks):
        report(number)
    while len(chunks) < count:
        for number in range(1, count + 1):
            if number in chunks:
                continue
            tracker.sendall(f"WHERE_CHUNK,{number}".encode())
            words = tracker.recv(1024).decode().split(",")
            if words[0] != "GET_CHUNK_FROM" or int(words[1]) != number:
                continue
            peers = words[2 if no_hash else 3:]
            try:
                data = fetch(peers[0], int(peers[1]), number)
            except OSError:
                continue
            with open(os.path.join(folder, f"chunk_{number}"), "wb") as f:
                f.write(data)
            chunks[number] = f"chunk_{number}"
            write_list(folder, chunks, count)
            report(number)
        time.sleep(0.1)
    print("complete", flush=True)
    time.sleep(60)


main()
