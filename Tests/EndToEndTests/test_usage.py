"""The command line: usage, exit codes, signals, torrent files, and what helps a person."""
import json
import os
import shutil
import signal
import socket
import subprocess

from harness import files
from harness.case import Case, SHOAL, environment
from harness.torrent import Torrent


class UsageTests(Case):
    def test_wrong_usage(self):
        """wrong usage is exit 2 and says what is wrong and where help is"""
        hash40 = "0123456789abcdef0123456789abcdef01234567"
        wrong = [
            ["frobnicate"], ["fetch"], ["share"], ["fetch", hash40, "--frobnicate"], ["fetch", hash40, "--timeout"],
            ["fetch", hash40, "--timeout", "soon"], ["fetch", hash40, "--limit-down", "fast"], ["fetch", hash40, "extra"],
            ["node", "extra"], ["fetch", hash40, "--listen", "nonsense"], ["fetch", hash40, "--listen", "127.0.0.1:99999"],
            ["fetch", hash40, "--bootstrap", "no-port"], ["dht"], ["dht", "frobnicate"], ["torrent"], ["fetch", hash40[:-1]],
            ["fetch", hash40 + "00"], ["fetch", "magnet:?dn=no-xt"], ["fetch", "magnet:?xt=urn:btih:tooshort"],
            ["fetch", "magnet:?xt=urn:sha1:" + hash40], ["fetch", "magnet:"], ["completions", "tcsh"], ["fetch", ""],
            ["share", "x", "--piece-length", "3"], ["node", "--color", "pink"],
        ]
        for arguments in wrong:
            with self.subTest(arguments=arguments):
                process = self.run_shoal(*arguments)
                self.expect(process, 2, *(["help|usage|one of"] if len(arguments) == 1 and arguments[0] != "magnet:" else []))
                self.assertEqual(process.stdout(), b"")

    def test_help(self):
        """no argument, --help and help VERB explain; each verb's help names its options"""
        for arguments in (["--help"], ["help"], ["-h"]):
            process = self.run_shoal(*arguments)
            self.assertEqual(process.code, 0, process.log())
            for verb in ("share", "fetch", "node", "dht", "torrent", "completions", "version"):
                self.assertIn(verb, process.stdout().decode())
        for arguments in (["fetch", "--help"], ["help", "fetch"]):
            process = self.run_shoal(*arguments)
            self.assertEqual(process.code, 0, process.log())
            for option in ("--output", "--only", "--sequential", "--stdout", "--limit-down", "--timeout", "--bootstrap"):
                self.assertIn(option, process.stdout().decode())
        bare = self.run_shoal()
        self.assertIn(bare.code, (0, 2), bare.log())
        self.assertIn("fetch", bare.stdout().decode() + bare.stderr())

    def test_typo(self):
        """a mistyped verb or option suggests the right one"""
        self.expect(self.run_shoal("fetsh", "x"), 2, "fetch")
        self.expect(self.run_shoal("fetch", "x", "--sequental"), 2, "--sequential")

    def test_end_of_options(self):
        """-- ends options: a file whose name begins with a dash can be named"""
        here = self.new_folder("here")
        files.write(os.path.join(here, "--dash"), b"data")
        made = self.run_shoal("torrent", "create", "-o", "dash.torrent", "--", "--dash", cwd=here)
        self.assertEqual(made.code, 0, made.log())
        self.assertEqual(Torrent.read(os.path.join(here, "dash.torrent")).info[b"name"], b"--dash")

    def test_environment(self):
        """SHOAL_LISTEN and SHOAL_STATE are options too, and the command line wins"""
        env = {**environment(self.path("home")), "SHOAL_LISTEN": "127.0.0.1:0", "SHOAL_STATE": self.path("from-env"),
               "SHOAL_BOOTSTRAP_FILE": self.empty_file, "SHOAL_JSON": "1"}
        node = self.listening(self.start("node", [SHOAL, "node"], env=env))
        self.assertTrue(node.address.startswith("127.0.0.1:"))
        self.assertTrue(os.path.isdir(self.path("from-env")))
        bad = self.start("node", [SHOAL, "node", "--listen", "127.0.0.1:0"], env={**env, "SHOAL_LISTEN": "nonsense"})
        self.listening(bad)

    def test_version(self):
        """version prints name and number"""
        process = self.run_shoal("version")
        self.assertEqual(process.code, 0)
        self.assertRegex(process.stdout().decode(), r"^shoal \d+\.\d+")

    def test_completions(self):
        """completions for bash, zsh and fish are printed and parse"""
        for shell in ("bash", "zsh", "fish"):
            process = self.run_shoal("completions", shell)
            self.assertEqual(process.code, 0, process.log())
            self.assertIn("fetch", process.stdout().decode())
            if shutil.which(shell):
                check = subprocess.run([shell, "-n", process.stdout_path], capture_output=True, check=False)
                self.assertEqual(check.returncode, 0, check.stderr)

    def test_bash_completes(self):
        """the bash script completes verbs and options"""
        script = self.run_shoal("completions", "bash").stdout_path
        probe = (f'source "{script}"; spec=$(complete -p shoal); fn=${{spec##*-F }}; fn=${{fn%% *}}; '
                 'COMP_WORDS=(shoal fet); COMP_CWORD=1; COMP_LINE="shoal fet"; COMP_POINT=9; "$fn" shoal fet shoal; '
                 'echo "${COMPREPLY[@]}"; COMP_WORDS=(shoal fetch --seq); COMP_CWORD=2; COMP_LINE="shoal fetch --seq"; '
                 'COMP_POINT=17; "$fn" shoal --seq fetch; echo "${COMPREPLY[@]}"')
        out = subprocess.run(["bash", "-c", probe], capture_output=True, text=True, check=False)
        self.assertIn("fetch", out.stdout.splitlines()[0], out.stderr)
        self.assertIn("--sequential", out.stdout.splitlines()[1], out.stderr)

    def test_man(self):
        """man prints a manual page that man accepts"""
        process = self.run_shoal("man")
        text = process.stdout().decode()
        self.assertTrue(text.startswith((".TH", '.\\"')), text[:80])
        for section in (".SH NAME", ".SH SYNOPSIS", "EXIT"):
            self.assertIn(section, text)
        if shutil.which("groff"):
            check = subprocess.run(["groff", "-man", "-Tutf8", "-ww", process.stdout_path], capture_output=True, check=False)
            self.assertEqual((check.returncode, check.stderr), (0, b""))

    def test_port_in_use(self):
        """a port that was asked for and is busy is exit 4 and named"""
        source = files.random_file(self.path("source", "x"), 100)
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as taken:
                taken.bind(("127.0.0.1", 0))
                if kind == socket.SOCK_STREAM:
                    taken.listen()
                port = taken.getsockname()[1]
                for verb in (["node"], ["share", source]):
                    with self.subTest(kind=kind.name, verb=verb[0]):
                        process = self.shoal(*verb, "--listen", f"127.0.0.1:{port}", "--bootstrap-file", self.empty_file)
                        process.wait()
                        self.expect(process, 4, str(port))

    def test_default_port_moves_on(self):
        """without --listen a second node takes the next free port"""
        first = self.listening(self.shoal("node", "--json", "--bootstrap-file", self.empty_file))
        second = self.listening(self.shoal("node", "--json", "--bootstrap-file", self.empty_file))
        self.assertNotEqual(first.address.rsplit(":", 1)[1], second.address.rsplit(":", 1)[1])


class SignalTests(Case):
    def test_signals(self):
        """SIGINT is exit 130 and SIGTERM 143, within three seconds, for node, share and a waiting fetch"""
        network = self.node()
        source = files.random_file(self.path("source", "x"), 100_000)
        starts = {
            "node": lambda: self.node(bootstrap=network.address),
            "share": lambda: self.share(source, bootstrap=network.address),
            "fetch": lambda: self.listening(self.fetch("ab" * 20, self.path("out"), bootstrap=network.address)),
        }
        for verb, start in starts.items():
            for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
                with self.subTest(verb=verb, signal=number.name):
                    process = start()
                    process.signal(number)
                    process.wait(3)
                    self.assertEqual(process.code, code, process.log())
                    self.assertFalse(process.killed_by_signal, "it did not stop cleanly")

    def test_closed_pipe(self):
        """a reader that goes away ends fetch --stdout quietly"""
        network = self.node()
        source = files.random_file(self.path("source", "x"), 8 << 20)
        sharer = self.share(source, bootstrap=network.address)
        script = (f'"{SHOAL}" fetch {sharer.info_hash} --stdout --listen 127.0.0.1:0 --bootstrap {network.address} '
                  f'--state "{self.path("s2")}" | head -c 10 | wc -c')
        shell = self.start("pipe", ["bash", "-c", script], cwd=self.new_folder("elsewhere"))
        shell.wait(20)
        self.assertEqual(shell.stdout().strip(), b"10", shell.log())


class TorrentTests(Case):
    """`shoal torrent ...`: no network."""

    def test_create_show_magnet_verify(self):
        """create agrees with a torrent made in Python; show, magnet and verify read it"""
        source = files.random_file(self.path("source", "näme.bin"), 100_001)
        torrent_file = self.path("out.torrent")
        made = self.run_shoal("torrent", "create", source, "-o", torrent_file, "--piece-length", "16K")
        self.assertEqual(made.code, 0, made.log())
        with open(source, "rb") as f:
            expected = Torrent.of("näme.bin", f.read())
        self.assertEqual(Torrent.read(torrent_file).hex, expected.hex)
        shown = self.run_shoal("torrent", "show", torrent_file)
        for word in (expected.hex, "näme.bin"):
            self.assertIn(word, shown.stdout().decode())
        objects = [json.loads(x) for x in self.run_shoal("torrent", "show", torrent_file, "--json").stdout().splitlines()]
        torrent = next(o for o in objects if o["event"] == "torrent")
        self.assertEqual((torrent["info_hash"], torrent["size"], torrent["pieces"]), (expected.hex, 100_001, 7))
        magnet = self.run_shoal("torrent", "magnet", torrent_file).stdout().decode().strip()
        self.assertTrue(magnet.startswith("magnet:?"))
        self.assertIn(f"xt=urn:btih:{expected.hex}", magnet)
        self.assertEqual(self.run_shoal("torrent", "verify", torrent_file, source).code, 0)
        self.assertEqual(self.run_shoal("torrent", "verify", torrent_file, cwd=self.path("source")).code, 0)
        with open(source, "r+b") as f:
            f.write(b"!")
        self.expect(self.run_shoal("torrent", "verify", torrent_file, source), 5, "piece")
        os.unlink(source)
        gone = self.run_shoal("torrent", "verify", torrent_file, source)
        self.assertIn(gone.code, (5, 6, 7), gone.log())

    def test_create_is_canonical(self):
        """a folder gives the same info-hash wherever it is, and each file once"""
        one = files.sample_folder(self.path("one", "tree"))
        two = files.sample_folder(self.path("two", "tree"))
        hashes = set()
        for number, folder in enumerate((one, two)):
            torrent_file = self.path(f"{number}.torrent")
            self.assertEqual(self.run_shoal("torrent", "create", folder, "-o", torrent_file).code, 0)
            torrent = Torrent.read(torrent_file)
            hashes.add(torrent.hex)
            paths = [b"/".join(f[b"path"]) for f in torrent.info[b"files"]]
            self.assertEqual(sorted(paths), sorted(k for k, v in files.tree(folder).items() if v != "dir"))
        self.assertEqual(len(hashes), 1)

    def test_create_refuses_to_overwrite_its_source(self):
        """torrent create -o on an existing file that is no torrent does not destroy it"""
        source = files.random_file(self.path("source", "x.bin"), 1000)
        before = files.sha256(source)
        self.run_shoal("torrent", "create", source, "-o", source)
        self.assertEqual(files.sha256(source), before)
