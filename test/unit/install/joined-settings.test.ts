import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { joinedSettings } from "../../../local-agent/install/join/joined-settings.ts";

const URL = "https://ganglion.example";
const joined = (text: string | undefined, replace = false) =>
  joinedSettings(
    "/etc/agent.yaml",
    text,
    { url: URL, ecosystem: undefined, hostId: "host-a", tokenFile: "/etc/token" },
    replace,
  );

describe("settings of a host that joins an edge", () => {
  it("keep comments and all that does not concern the edge", () => {
    const { text, ecosystem } = joined("# ours\nedge: { ecosystem: lab } # the edge\nsampler:\n  seconds: 9 # slow\n");
    expect(text).toMatch(/^# ours\nedge: \{.*\} # the edge\nsampler:\n {2}seconds: 9 # slow\nhost:\n {2}id: host-a\n$/);
    expect(parse(text)).toEqual({
      edge: { ecosystem: "lab", url: URL, token_file: "/etc/token" },
      sampler: { seconds: 9 },
      host: { id: "host-a" },
    });
    expect(ecosystem).toBe("lab");
  });

  it("do not change when the host joins again", () => {
    const { text } = joined(undefined);
    expect(joined(text).text).toBe(text);
  });

  it.each(["", "# nothing yet\n", "edge:\nsampler: { seconds: 9 }\n", "{}\n"])("are made of %j, too", (text) => {
    const filled = parse(joined(text).text) as { edge: object };
    expect(filled.edge).toEqual({ url: URL, token_file: "/etc/token" });
  });

  it("name another edge only where that is meant", () => {
    const text = "edge: { url: https://other.example }\n";
    expect(() => joined(text)).toThrow(/names another edge, https:\/\/other\.example.*--replace/);
    expect(joined(text, true).text).toContain(URL);
  });

  it.each([
    ["edge: [", "is no YAML"],
    ["- edge", "is no list of names"],
    ["edge: https://other.example", "edge is no list of names"],
    ["edge: { url: https://ganglion.example }\nhost: gpu-01", "host is no list of names"],
  ])("are refused where they are %j", (text, reason) => {
    expect(() => joined(text)).toThrow(reason);
  });
});
