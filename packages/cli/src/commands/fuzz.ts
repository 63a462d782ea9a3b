// `hyperscope fuzz`: random programs on the simulator and on this machine's KVM, compared to the last bit.

import {UserError} from '@hyperscope/base';
import {fingerprint, quirksOf, whyMissing} from '@hyperscope/kvm';
import {
  DIFFERENCE_RULES,
  FORM_RULES,
  FUZZ_MODES,
  FuzzCampaign,
  INSTRUCTION_RULES,
  SimulatedProcessor,
} from '@hyperscope/simulation';
import type {FuzzFinding, FuzzMode} from '@hyperscope/simulation';
import {keysOf} from '@hyperscope/base';
import {EXIT} from '../exit-status.js';
import {checkWritable, writeBytes} from '../files.js';
import {KvmFuzzTarget} from '../run/fuzz-on-kvm.js';
import {parseNumber} from '../run/numbers.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import type {Arguments} from '../terminal/arguments.js';
import {progress} from '../terminal/progress.js';
import {table, wrap} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';
import type {Command, CommandContext} from './command.js';
import {CONTROL_BLOCK_CASES, fuzzControlBlocks} from './fuzz-control-blocks.js';
import type {ControlBlockRequest} from './fuzz-control-blocks.js';
import {KERNEL_PROGRAMS, fuzzKernels} from './fuzz-kernels.js';

const OPTIONS = {
  mode: {value: 'MODE', help: `${keysOf(FUZZ_MODES).join(', ')} or all. Default: all.`},
  instructions: {value: 'N', short: 'n', help: 'Instructions to execute in each mode, about. Default: 25000.'},
  seed: {value: 'S', help: 'Another seed gives other programs. Default: 1.'},
  program: {value: 'K', help: 'Only program K of the seed: how a difference is seen again.'},
  shrink: {value: undefined, help: 'Make each program that differs as short as it can be, and show its listing.'},
  vmcs: {value: undefined, help: 'Fuzz VM entries instead: VMCSs with changed fields. N counts them. Needs no KVM.'},
  vmcb: {value: undefined, help: 'The same for VMRUN and VMCBs.'},
  kernels: {value: undefined, help: 'Fuzz binary translation instead: N random kernels in each mode. Needs no KVM.'},
  json: {value: 'FILE|-', help: 'Write counts, coverage and differences as JSON.'},
} as const;

export const FUZZ: Command = {
  name: 'fuzz',
  summary: "random programs on the simulator and on this machine's KVM, compared to the last bit",
  usage: 'hyperscope fuzz [--mode MODE] [--instructions N] [--seed S] [--shrink] [--json FILE|-]',
  description: [
    'Programs of some dozens of instructions are drawn from the opcode table: every line of it that exists in the mode, ' +
      'with any prefix, operand and address form, branches, faults and all. Each runs on the simulator and on /dev/kvm; ' +
      'how it ended, registers, flags and memory must be the same.',
    'Modes: real, protected (ring 0, 32 bits), long (ring 0, 64 bits), ring3 (64 bits; on many hosts it runs on the ' +
      'bare processor). Flags that the manual leaves undefined are neither compared nor used.',
    'What is left out, and which differences are excused, is decided by written rules; most hold only on hosts whose ' +
      'fingerprint shows a known quirk. Everything else that differs is a fault of the simulator until shown otherwise.',
    'With --vmcs or --vmcb, fields of a valid control block are changed at random and the entry is attempted. A table of the ' +
      'manual’s rules, apart from the simulator’s own checks, says what must happen, and a refusal must name what was changed.',
    'With --kernels the programs are kernels with handlers, ring 3, page tables that change and code that changes itself. Each ' +
      'runs on bare metal and in binary translation: at every step the guest must be where bare metal was before or behind an ' +
      'instruction, and interrupts at random moments may change nothing.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope fuzz', what: '25,000 instructions in each of the four modes.'},
    {line: 'hyperscope fuzz -n 250000 --seed 7 --shrink', what: 'A million, other programs, the shortest that differ.'},
    {line: 'hyperscope fuzz --mode long --seed 7 --program 1330 --shrink', what: 'One program again.'},
    {line: 'hyperscope fuzz --vmcs -n 300000', what: '300,000 VM entries of damaged VMCSs.'},
    {line: 'hyperscope fuzz --kernels -n 500', what: '1,000 kernels in binary translation, beside bare metal.'},
  ],
  exitCodes: [
    {code: 0, what: 'no difference that no rule explains'},
    {code: 1, what: 'a difference that none explains'},
    {code: 2, what: 'bad usage'},
    {code: 6, what: 'there is no KVM here; the reason is told (not with --vmcs, --vmcb and --kernels)'},
  ],
  run: async (args, context) => runFuzz(args, context),
};

/** Differences that are shown in full; a fault of the simulator mostly shows in many programs. */
const SHOWN = 10;
/** Runs that are about something else than programs on KVM. */
const CASES = ['vmcs', 'vmcb', 'kernels'] as const;
/** Programs between two looks at Ctrl-C. */
const BATCH = 20;
const PER_MODE = 25_000;

interface ModeReport {
  readonly mode: FuzzMode;
  readonly campaign: FuzzCampaign;
  readonly findings: readonly FuzzFinding[];
  readonly seconds: number;
}

interface Request {
  readonly modes: readonly FuzzMode[];
  readonly instructions: number;
  readonly seed: number;
  readonly program: number | undefined;
  readonly shrinks: 'shrink' | 'as drawn';
}

function readRequest(given: Arguments<keyof typeof OPTIONS>): Request {
  const mode = given.value('mode') ?? 'all';
  const modes = keysOf(FUZZ_MODES).filter(each => mode === 'all' || mode === each);
  if (modes.length === 0) throw usage(`--mode: there is no ${mode}. There are ${keysOf(FUZZ_MODES).join(', ')}, all.`);
  const number = (name: 'instructions' | 'seed' | 'program', least: number): number | undefined => {
    const text = given.value(name);
    return text === undefined ? undefined : parseNumber(text, `--${name}`, least, 0xffff_ffff);
  };
  return {
    modes,
    instructions: number('instructions', 1) ?? PER_MODE,
    seed: number('seed', 0) ?? 1,
    program: number('program', 0),
    shrinks: given.has('shrink') ? 'shrink' : 'as drawn',
  };
}

/** What means nothing for control blocks and kernels is refused, not passed over. */
function readCases(given: Arguments<keyof typeof OPTIONS>, cases: number): ControlBlockRequest {
  if (CASES.filter(name => given.has(name)).length > 1)
    throw usage('--vmcs, --vmcb and --kernels are runs of their own: give one of them.');
  for (const name of ['mode', 'shrink', 'json'] as const)
    if (given.has(name))
      throw usage(`--${name} is for programs; with --vmcs, --vmcb and --kernels there are -n, --seed and --program.`);
  const {instructions, seed, program} = readRequest(given);
  return {cases: given.value('instructions') === undefined ? cases : instructions, seed, only: program};
}

async function runFuzz(args: readonly string[], context: CommandContext): Promise<number> {
  const {terminal} = context;
  const given = parseArguments(OPTIONS, args);
  if (given.positionals.length > 0) throw usage(`fuzz takes no file, but ${given.positionals[0]} was given.`);
  if (given.has('vmcs') || given.has('vmcb'))
    return fuzzControlBlocks(given.has('vmcs') ? 'vmcs' : 'vmcb', readCases(given, CONTROL_BLOCK_CASES), context);
  if (given.has('kernels')) {
    const {cases: programs, seed, only} = readCases(given, KERNEL_PROGRAMS);
    return fuzzKernels({programs, seed, only}, context);
  }
  const json = given.value('json');
  const request = readRequest(given);
  if (json !== undefined && json !== '-') checkWritable(json);
  const missing = whyMissing();
  if (missing !== undefined) throw new UserError(`kvm-${missing.code}`, missing.message);
  const host = fingerprint();
  const quirks = new Set(quirksOf(host).map(({id}) => id));
  terminal.note(
    `KVM: ${host.flavour}, ${host.vendor}. Quirks: ${quirks.size === 0 ? 'none' : [...quirks].join(', ')}.`,
  );
  const reports = await runModes(request, quirks, context);
  const text = `${JSON.stringify({host, seed: request.seed, modes: reports.map(asJson)}, undefined, 2)}\n`;
  if (json === '-') terminal.write(text);
  else printReport(reports, request, terminal);
  if (json !== undefined && json !== '-') writeBytes(json, text);
  return reports.some(({campaign}) => campaign.differing > 0) ? EXIT.unexplained : EXIT.ok;
}

async function runModes(
  request: Request,
  quirks: ReadonlySet<string>,
  context: CommandContext,
): Promise<readonly ModeReport[]> {
  const stop = context.interrupted();
  const target = new KvmFuzzTarget();
  const simulator = new SimulatedProcessor(target.profile());
  const reports: ModeReport[] = [];
  try {
    for (const mode of request.modes) {
      if (stop.aborted) break;
      const {seed, shrinks} = request;
      const campaign = new FuzzCampaign({mode, seed, simulator, target, quirks, shrinks});
      reports.push(await runMode(mode, campaign, request, stop, context));
    }
  } finally {
    target.close();
  }
  if (stop.aborted) context.terminal.note('Stopped by Ctrl-C: what was compared until then counts.');
  return reports;
}

async function runMode(
  mode: FuzzMode,
  campaign: FuzzCampaign,
  request: Request,
  stop: AbortSignal,
  {terminal, clock}: CommandContext,
): Promise<ModeReport> {
  const findings: FuzzFinding[] = [];
  const bar = progress(terminal, clock, `instructions in ${FUZZ_MODES[mode].title}`, request.instructions);
  const started = clock.now();
  const {program} = request;
  for (let number = program ?? 0; !stop.aborted; number++) {
    const finding = campaign.run(number);
    if (finding !== undefined && findings.length < SHOWN) findings.push(finding);
    if (program !== undefined || campaign.instructions >= request.instructions) break;
    if (number % BATCH !== 0) continue;
    bar.update(campaign.instructions);
    await new Promise(resolve => setImmediate(resolve));
  }
  bar.end();
  return {mode, campaign, findings, seconds: (clock.now() - started) / 1000};
}

/** Ids of the rules that left lines of the table out, each with how many. */
function excludedBy({choice}: FuzzCampaign): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const rule of choice.excluded.values()) counts.set(rule.id, (counts.get(rule.id) ?? 0) + 1);
  return counts;
}

function asJson({mode, campaign, findings, seconds}: ModeReport): unknown {
  return {
    mode,
    programs: campaign.programs,
    discarded: campaign.useless,
    instructions: campaign.instructions,
    seconds,
    lines: {
      compared: campaign.choice.eligible.length,
      executed: campaign.executed.size,
      notExecuted: campaign.choice.eligible.filter(form => !campaign.executed.has(form)).map(lineOf),
      excluded: Object.fromEntries(excludedBy(campaign)),
    },
    excused: Object.fromEntries([...campaign.excused].map(([{id}, count]) => [id, count])),
    undefinedFlags: campaign.undefinedFlags,
    differing: campaign.differing,
    findings: findings.map(({program, ...finding}) => ({
      ...finding,
      registers: Object.fromEntries(
        Object.entries(program.registers).map(([cell, value]) => [cell, value.toString(16)]),
      ),
    })),
  };
}

const lineOf = ({encoding, syntax}: {readonly encoding: string; readonly syntax: string}): string =>
  `${encoding}  ${syntax}`;

function printReport(reports: readonly ModeReport[], request: Request, terminal: Terminal): void {
  const columns = [
    {title: 'mode', align: 'left'},
    {title: 'programs', align: 'right'},
    {title: 'instructions', align: 'right'},
    {title: 'lines of the table executed', align: 'right'},
    {title: 'excused', align: 'right'},
    {title: 'different', align: 'right'},
    {title: 'seconds', align: 'right'},
  ] as const;
  const rows = reports.map(({mode, campaign, seconds}) => [
    mode,
    String(campaign.programs),
    String(campaign.instructions),
    `${campaign.executed.size} of ${campaign.choice.eligible.length}`,
    String([...campaign.excused.values()].reduce((sum, count) => sum + count, 0)),
    campaign.differing === 0 ? '0' : terminal.style('red', String(campaign.differing)),
    seconds.toFixed(1),
  ]);
  const [heading = '', ...lines] = table(columns, rows);
  terminal.line(terminal.style('bold', heading));
  for (const line of lines) terminal.line(line);
  for (const {mode, campaign} of reports) {
    const {programs, same} = campaign.undefinedFlags;
    if (programs > 0)
      terminal.line(
        `${mode}: flags that the manual leaves undefined came out the same in ${same} of ${programs} programs.`,
      );
  }
  printRules(reports, terminal);
  for (const {findings} of reports) for (const finding of findings) printFinding(finding, request, terminal);
  const differing = reports.reduce((sum, {campaign}) => sum + campaign.differing, 0);
  if (differing > 0) terminal.line(`${differing} programs differ and no rule explains it.`);
}

/** The rules that were used, with their reasons. */
function printRules(reports: readonly ModeReport[], terminal: Terminal): void {
  const width = Math.min(110, terminal.width);
  const lines = new Map<string, number>();
  const excused = new Map<string, number>();
  for (const {campaign} of reports) {
    for (const [id, count] of excludedBy(campaign)) lines.set(id, Math.max(lines.get(id) ?? 0, count));
    for (const [{id}, count] of campaign.excused) excused.set(id, (excused.get(id) ?? 0) + count);
  }
  const print = (text: string): void => {
    for (const line of wrap(text, width, '  ')) terminal.line(line);
  };
  if (lines.size > 0) terminal.line('Lines that are not compared:');
  for (const {id, reason} of FORM_RULES) if (lines.has(id)) print(`${id} (${lines.get(id)}): ${reason}`);
  const quirky = INSTRUCTION_RULES.filter(({modes}) => reports.some(({mode}) => modes.includes(mode)));
  if (quirky.length > 0) terminal.line('Instructions that are not compared, on hosts that show the quirk:');
  for (const {id, quirk, reason} of quirky) print(`${id}${quirk === undefined ? '' : ` (${quirk})`}: ${reason}`);
  if (excused.size > 0) terminal.line('Programs whose differences were excused:');
  for (const {id, reason} of DIFFERENCE_RULES) if (excused.has(id)) print(`${excused.get(id)} by ${id}: ${reason}`);
}

function printFinding(finding: FuzzFinding, {shrinks}: Request, terminal: Terminal): void {
  const {mode, seed, number, drawn, program, listing, differences} = finding;
  terminal.line();
  const size = `${program.pieces.length} instructions${drawn === program.pieces.length ? '' : `, shrunk from ${drawn}`}`;
  terminal.line(terminal.style('bold', `A difference in ${FUZZ_MODES[mode].title}: ${size}`));
  for (const line of listing) terminal.line(`  ${line}`);
  const registers = Object.entries(program.registers).filter(([, value]) => value !== 0n);
  for (const line of wrap(registers.map(([cell, value]) => `${cell}=${value.toString(16)}`).join(' '), 100, '  '))
    terminal.line(line);
  for (const {what, simulated, other} of differences) terminal.line(`  ${what}: simulated ${simulated}, KVM ${other}`);
  const again = `hyperscope fuzz --mode ${mode} --seed ${seed} --program ${number}`;
  terminal.line(`  Again: ${again}${shrinks === 'shrink' ? ' --shrink' : ''}`);
}
