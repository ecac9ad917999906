/// Trackers, accounts there, and what people of earlier tracker systems type.
extension VerbEntry {
    static let trackerEntries: [VerbEntry] = [
        VerbEntry(
            verb: .trackerRun,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "run a tracker: announces over HTTP and UDP, a catalogue of files, accounts",
            details: """
                Serves announces and scrapes of every BitTorrent client over HTTP and UDP on one port, a page for people at \
                /, a catalogue of files by name, /metrics for Prometheus and /api/v1 for programs, until Ctrl-C. With \
                --accounts only who has an account is served. On a terminal it answers the lines of shoal tracker \
                console. shoal tracker alone does the same.
                """,
            examples: [
                Example(command: "shoal tracker run --listen :6969", meaning: "a tracker for everybody"),
                Example(
                    command: "shoal tracker run --accounts --db postgres://shoal@localhost/shoal",
                    meaning: "with accounts, in PostgreSQL"
                ),
            ]
        ),
        VerbEntry(
            verb: .trackerList,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "list the files of a tracker's catalogue",
            details: "Prints the files that are registered at a tracker: name, size, seeders, leechers, info-hash."
        ),
        VerbEntry(
            verb: .trackerFile,
            arguments: "NAME",
            argumentCount: 1...1,
            argumentKind: .text,
            summary: "show one file of the catalogue, its peers, and who holds which pieces",
            details: """
                Prints one file of a tracker's catalogue and its peers: who has all of it, who fetches it, and for each \
                piece how many hold it, as peers of this kind say.
                """
        ),
        VerbEntry(
            verb: .trackerPeers,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "list the peers that announce to a tracker",
            details: "Prints the peers that a tracker knows: address, client, what they share and fetch."
        ),
        VerbEntry(
            verb: .trackerScrape,
            arguments: "INFOHASH",
            argumentCount: 1...1,
            argumentKind: .text,
            summary: "ask any tracker how many share and fetch a torrent",
            details: """
                Asks the trackers, whichever program they run, over http, https or udp, how many peers of INFOHASH are \
                complete, how many fetch, and how often it was completed (BEP 15, BEP 48). Announces nothing.
                """,
            examples: [
                Example(
                    command:
                        "shoal tracker scrape 0123456789abcdef0123456789abcdef01234567 --tracker udp://192.0.2.1:6969",
                    meaning: "count without taking part"
                )
            ]
        ),
        VerbEntry(
            verb: .trackerUser,
            arguments: "list|add|remove|password|admin [NAME]",
            argumentCount: 1...2,
            argumentKind: .text,
            summary: "manage the accounts in a tracker's database",
            details: """
                Works on the database of a tracker directly, whether it runs or not: list the accounts, add one, remove \
                one, set a password, or make one an admin. Passwords come from --password-file, SHOAL_PASSWORD or a \
                question, never from an argument.
                """,
            examples: [
                Example(command: "shoal tracker user add alice --admin", meaning: "the first account")
            ]
        ),
        VerbEntry(
            verb: .trackerConsole,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "ask a tracker line by line: torrent -mode list|fileinfo FILE|peerinfo",
            details: """
                Reads lines from the terminal or a pipe: torrent -mode list (the files), torrent -mode fileinfo FILE (one \
                file's peers), torrent -mode peerinfo (all peers), exit.
                """
        ),
    ]

    static let accountEntries: [VerbEntry] = [
        VerbEntry(
            verb: .userRegister,
            arguments: "NAME",
            argumentCount: 1...1,
            argumentKind: .text,
            summary: "make an account at a tracker, and log in",
            details: """
                Makes an account at the tracker, logs in, and keeps the passkey in the state folder, so that share and \
                fetch announce with it. The password comes from --password-file, SHOAL_PASSWORD or a question.
                """,
            examples: [
                Example(command: "shoal user register alice --tracker http://127.0.0.1:6969", meaning: "once")
            ]
        ),
        VerbEntry(
            verb: .userLogin,
            arguments: "NAME",
            argumentCount: 1...1,
            argumentKind: .text,
            summary: "log in at a tracker",
            details: "Logs in at the tracker and keeps the passkey in the state folder. Exit code 8 when it refuses."
        ),
        VerbEntry(
            verb: .userLogout,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "forget the passkey of a tracker",
            details: "Removes the passkey of the tracker from the state folder."
        ),
    ]

    static let roleEntries: [VerbEntry] = [
        VerbEntry(
            verb: .console,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "share and fetch by file name through a tracker, line by line or from a menu",
            details: """
                An interactive peer. A menu of Register, Login, Register file, Download file and Exit, by number or word; \
                and the lines torrent -mode send FILE, -mode download FILE, -mode scrape FILE and -mode exit. Files are \
                plain files in --dir. What was sent is shared until the end. Reads a pipe as well, where exit and the end of \
                the input wait for running downloads, and the exit code is that of the first line that failed.
                """,
            examples: [
                Example(
                    command: "shoal console --tracker http://127.0.0.1:6969 --id 1 --dir ./peer_files/peer_1",
                    meaning: "a peer with a folder of its own"
                )
            ]
        ),
        VerbEntry(
            verb: .chunksRun,
            arguments: "DIR",
            argumentCount: 1...1,
            argumentKind: .folder,
            summary: "complete a chunk folder through a tracker, and serve it",
            details: """
                Reads local_chunks.txt in DIR (1,chunk_1 and so on; the last line, N,LASTCHUNK, gives the number of \
                chunks), reports what is there to the tracker, fetches what is missing from whoever has it, serves what it \
                has, and keeps the list up to date, until Ctrl-C. Also understands -folder DIR -transfer_port PORT -name \
                NAME.
                """,
            examples: [
                Example(
                    command: "shoal chunks run client1 --listen :6000 --tracker http://127.0.0.1:6969",
                    meaning: "one of several partial holders"
                )
            ]
        ),
        VerbEntry(
            verb: .chunksImport,
            arguments: "DIR FILE",
            argumentCount: 2...2,
            argumentKind: .files,
            summary: "cut a file into a chunk folder",
            details:
                "Cuts FILE into chunk_1, chunk_2 and so on in DIR, and writes local_chunks.txt. Touches no network."
        ),
        VerbEntry(
            verb: .chunksExport,
            arguments: "DIR",
            argumentCount: 1...1,
            argumentKind: .folder,
            summary: "join the chunks of a folder into a file",
            details: """
                Joins the chunks of DIR in order into the file that -o names (default: the folder's name and .out). Exit code \
                5 while a chunk is missing. Touches no network.
                """
        ),
    ]
}
