# Licensed like pktcost itself (MIT), so that it may be copied into sos.
"""Collects a pktcost bundle: two samples of the kernel's packet path, and the verdict."""

from sos.report.plugins import Plugin, DebianPlugin, IndependentPlugin, RedHatPlugin, UbuntuPlugin

try:
    from sos.report.plugins import PluginOpt
except ImportError:  # sos before 4.2
    PluginOpt = None

OPTIONS = (
    ("window", 10, "seconds between the two samples"),
    ("probe", "off", "auto: also time packets with eBPF, which attaches programs for the length of the window"),
    ("redact", False, "put tokens for addresses and names of host, processes and namespaces into the bundle"),
)


# Debian's sos 4.0 takes no IndependentPlugin, later ones take nothing else on distributions of their own.
class Pktcost(Plugin, RedHatPlugin, DebianPlugin, UbuntuPlugin, IndependentPlugin):

    short_desc = "Kernel cost per packet: samples, verdict and evidence"

    plugin_name = "pktcost"
    profiles = ("network", "performance")
    commands = ("pktcost",)

    if PluginOpt is None:
        option_list = [(name, desc, "slow", default) for name, default, desc in OPTIONS]
    else:
        option_list = [PluginOpt(name, default=default, desc=desc) for name, default, desc in OPTIONS]

    def setup(self):
        window = self._window()
        probe = "auto" if self.get_option("probe") == "auto" else "off"
        redact = self.get_option("redact") in (True, "on", "true", "True", "yes")
        path = self.get_cmd_output_path(name="bundle")
        # What pktcost says on stdout would name what --redact hides: the bundle has its own, redacted report.
        command = "record" if redact else "diagnose --fail-on never"
        self.add_cmd_output(
            "pktcost %s --quiet --window %ds --probe %s%s --bundle %s/pktcost.tar.gz"
            % (command, window, probe, " --redact" if redact else "", path),
            suggest_filename="verdict.txt",
            # Attaching, detaching and the verdict come on top of the window.
            timeout=window + 60,
            env={"HOME": "/nonexistent"},
        )
        self.add_cmd_output("pktcost doctor --probe %s" % probe, suggest_filename="doctor.txt", timeout=60,
                            env={"HOME": "/nonexistent"})

    def _window(self):
        try:
            return min(300, max(1, int(self.get_option("window"))))
        except (TypeError, ValueError):
            return 10
