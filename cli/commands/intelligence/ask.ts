import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { openGatherer } from "../../../src/client/intelligence/open-gatherer.ts";
import { findSimilar } from "../../../src/client/intelligence/similar-finder.ts";
import { ANALYSES, MAX_PATTERNS } from "../../../src/core/intelligence/analyses.ts";
import type { IntelligenceContext } from "../../../src/core/intelligence/context.ts";
import { NODE_TYPES, type NodeType } from "../../../src/core/intelligence/node-types.ts";
import type { Pattern } from "../../../src/core/intelligence/pattern.ts";
import type { SimilarNode } from "../../../src/core/intelligence/similar-nodes.ts";
import { list, milliseconds, wholeNumber } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";
import { type Column, print, printFields, printTable, remark } from "../../output.ts";
import { connectionFor, wantsJson } from "../../settings.ts";
import { withQuestion } from "../questions/ask-human.ts";
import { askingSettings, withIntelligence } from "./asking.ts";

const timeout = ["--timeout <time>", "longest wait for the answer, 5m at most", milliseconds(1, 300_000)] as const;
const nodeType = () =>
  new Option("--node-type <type>", "type of the node").makeOptionMandatory().argParser((text: string): NodeType => {
    const type = NODE_TYPES.find((each) => each === text.toUpperCase());
    if (type === undefined) throw new UsageError(`--node-type: give ${NODE_TYPES.join(", ")}`);
    return type;
  });

/** `ganglion ask`: asks people; its commands ask the hosts that have code, and the built-in library. */
export const askCommand = () =>
  withQuestion(new Command("ask"))
    .summary("ask a person or a role; or hosts that have code: patterns, an analysis, similar nodes, a context")
    .addCommand(patternsCommand())
    .addCommand(analysisCommand())
    .addCommand(similarCommand())
    .addCommand(contextCommand());

const patternColumns: readonly Column<Pattern>[] = [
  ["CONFIDENCE", ({ confidence }) => confidence.toFixed(2), "key"],
  ["TYPE", ({ node_type }) => node_type],
  ["DOMAIN", ({ domain }) => domain],
  ["CLASS", ({ class_name }) => class_name, "text"],
  ["HOST", ({ host }) => host],
  ["FILE", ({ file_path }) => file_path, "text"],
];

interface PatternOptions {
  readonly language?: string;
  readonly domain?: string;
  readonly limit?: number;
  readonly offset?: number;
  readonly threshold?: number;
  readonly allHosts?: true;
  readonly timeout?: number;
}

const patternsCommand = () =>
  new Command("patterns")
    .summary("find examples in the code of the hosts")
    .argument("<path>", "pattern of files such as 'node_*_effect.py', or a path below a code root")
    .option("--language <name>", "only files in this language")
    .option("--domain <name>", "only files of this domain")
    .option("--limit <n>", "most patterns (default: 50)", wholeNumber(1, MAX_PATTERNS))
    .option("--offset <n>", "leave out the first ones", wholeNumber(0))
    .option("--threshold <share>", "least confidence, 0 to 1 (default: above 0.5)", share)
    .option("--all-hosts", "ask every host that has code, and merge")
    .option(...timeout)
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (path: string, given: PatternOptions, command: Command) => {
      const { language, timeout: timeoutMs, limit, offset, domain, threshold, allHosts } = given;
      const answer = await withIntelligence(command, (client) =>
        client.discover(path, language, {
          timeoutMs,
          options: { limit, offset, domain, quality_threshold: threshold, all_hosts: allHosts },
        }),
      );
      if (wantsJson(command)) return print(JSON.stringify(answer));
      await printTable(answer.patterns, patternColumns, "no patterns: no file matches, or none is complete enough");
      if (answer.truncated === true)
        remark(`${answer.patterns.length} of ${answer.total_count ?? "more"}; get the next ones with --offset`);
    });

const analysisCommand = () =>
  new Command("analysis")
    .summary("analyse a file below a code root, or one of this machine")
    .argument("<path>", "path below a code root; with --file only a name for the answer")
    .option("--file <file>", "analyse this file's contents; - reads standard input")
    .option("--language <name>", "language of the code (default: by the path)")
    .addOption(new Option("--operation <type>", "what to look at").choices(ANALYSES))
    .option(...timeout)
    .addHelpText("after", "\nWith --json: one document.")
    .action(
      async (
        path: string,
        given: { file?: string; language?: string; operation?: string; timeout?: number },
        command: Command,
      ) => {
        const content =
          given.file === undefined ? undefined : readFileSync(given.file === "-" ? 0 : given.file, "utf8");
        const { language, operation, timeout: timeoutMs } = given;
        const answer = await withIntelligence(command, (client) =>
          client.analyse(path, content, language, { timeoutMs, operation }),
        );
        if (wantsJson(command)) return print(JSON.stringify(answer));
        const { results_summary: summary, issues = [], recommendations = [] } = answer;
        await printFields({
          quality: answer.quality_score,
          compliance: answer.onex_compliance,
          complexity: answer.complexity_score,
          maintainability: answer.maintainability_score,
          lines: summary?.total_lines,
          cyclomatic: summary?.cyclomatic_complexity,
          cognitive: summary?.cognitive_complexity,
          host: answer.host,
        });
        const columns: readonly Column<(typeof issues)[number]>[] = [
          ["LINE", (issue) => (typeof issue === "string" ? null : issue.line), "key"],
          ["RULE", (issue) => (typeof issue === "string" ? null : issue.rule)],
          ["ISSUE", (issue) => (typeof issue === "string" ? issue : issue.message), "text"],
        ];
        await printTable(issues, columns, "no issues");
        for (const advice of recommendations) await print(`- ${advice}`);
      },
    );

const similarColumns: readonly Column<SimilarNode>[] = [
  ["SIMILARITY", ({ similarity }) => similarity.toFixed(2)],
  ["CONFIDENCE", ({ confidence }) => confidence?.toFixed(2), "key"],
  ["SOURCE", ({ source }) => source],
  ["HOST", ({ host }) => host],
  ["FILE", ({ path }) => path, "text"],
];

const similarCommand = () =>
  new Command("similar")
    .summary("find nodes of a type whose domain is similar")
    .addOption(nodeType())
    .requiredOption("--domain <name>", "domain of the node, such as user_store")
    .option("--limit <n>", "most nodes (default: 3)", wholeNumber(1, 100))
    .option("--path <directory>", "where to look when no host answers (repeatable)", list)
    .option(...timeout)
    .addHelpText("after", "\nWith --json: one node a line.")
    .action(
      async (
        given: { nodeType: NodeType; domain: string; limit?: number; path?: string[]; timeout?: number },
        command: Command,
      ) => {
        const found = await withIntelligence(command, (client, settings) =>
          findSimilar(given.nodeType, given.domain, given.limit ?? 3, {
            client,
            timeoutMs: given.timeout,
            paths: settings.filesystemFallback ? (given.path ?? settings.paths) : [],
            onFallback: (reason, message) => remark(`no live answer (${reason}): ${message}`),
          }),
        );
        if (wantsJson(command)) return print(found.map((node) => JSON.stringify(node)).join("\n"));
        await printTable(found, similarColumns, "no node of this type was found");
      },
    );

interface ContextOptions {
  readonly nodeType: NodeType;
  readonly domain?: string;
  readonly service?: string;
  readonly operation?: string[];
  readonly prompt?: string;
  readonly offline?: true;
  readonly timeout?: number;
}

const contextCommand = () =>
  new Command("context")
    .summary("gather what is known about a kind of node; works with no edge")
    .addOption(nodeType())
    .option("--domain <name>", "domain, such as database")
    .option("--service <name>", "name of the service; the roll-out chooses by it")
    .option("--operation <names>", "operations of the node (repeatable, or with commas)", list)
    .option("--prompt <text>", "what the node is for")
    .option("--offline", "the built-in library alone, without a connection")
    .option(...timeout)
    .addHelpText("after", "\nWith --json: one document.")
    .action(async (given: ContextOptions, command: Command) => {
      const context = await gather(given, command);
      if (wantsJson(command)) return print(JSON.stringify(context));
      await printContext(context);
    });

async function gather(given: ContextOptions, command: Command): Promise<IntelligenceContext> {
  const connection = given.offline === true ? undefined : connectionFor(command);
  const { gatherer, close } = openGatherer({
    settings: askingSettings(connection?.url ?? "offline"),
    connection,
    service: "ganglion-cli",
    transport: "http",
    timeoutMs: given.timeout,
    onRemark: remark,
    onFallback: (reason, message) => {
      if (reason !== "live_off") remark(`no live answer (${reason}): ${message}`);
    },
  });
  try {
    return await gatherer.gather({
      node_type: given.nodeType,
      domain: given.domain ?? "",
      service_name: given.service ?? "",
      operations: given.operation ?? [],
      prompt: given.prompt ?? "",
    });
  } finally {
    await close();
  }
}

async function printContext(context: IntelligenceContext): Promise<void> {
  await printFields({
    confidence: context.confidence_score,
    sources: context.rag_sources.join(", "),
    fallback: context.fallback_reason,
    operations: context.common_operations.join(", "),
    mixins: context.required_mixins.join(", "),
    examples: context.production_examples.map(({ file_path }) => file_path).join(", "),
  });
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ["Practices", context.node_type_patterns],
    ["Practices of the domain", context.domain_best_practices],
    ["What goes wrong", context.error_scenarios],
    ["Avoid", context.anti_patterns],
    ["Tests", context.testing_recommendations],
    ["Security", context.security_considerations],
  ];
  for (const [title, lines] of sections)
    if (lines.length > 0) await print(`\n${title}\n${lines.map((line) => `- ${line}`).join("\n")}`);
}

function share(text: string): number {
  const value = /^(?:0|1|0?\.\d{1,6}|1\.0+|0\.\d{1,6})$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 1) return value;
  throw new UsageError("give a share from 0 to 1");
}
