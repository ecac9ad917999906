"""What the black-box tests share: namespaces, processes, files, and small DHT and peer speakers."""
