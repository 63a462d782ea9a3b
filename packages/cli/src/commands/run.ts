// `hyperscope run`: a guest, or any foreign image, on any technique; what it printed, how it ended, and why.

import {hex} from '@hyperscope/base';
import {exitStatusOf, parseSerialScript} from '@hyperscope/simulation';
import {writeRecord} from '@hyperscope/trace';
import {EXIT} from '../exit-status.js';
import {checkWritable, readBytes, readText, writeBytes} from '../files.js';
import {isQemu, runOnQemu} from '../qemu/run-on-qemu.js';
import {hardDisks, missingForDisk} from '../run/disk.js';
import {execute} from '../run/execute.js';
import type {Executed, Execution, ExecutionResult} from '../run/execute.js';
import {traceLines} from '../run/event-lines.js';
import {NOTHING_RAN} from '../run/nothing-ran.js';
import {listCostModels} from '../run/cost-options.js';
import {listProcessors} from '../run/processor-list.js';
import {loadProgram} from '../run/program.js';
import type {Program} from '../run/program.js';
import {readRunArguments} from '../run/run-arguments.js';
import type {RunArguments, Sink} from '../run/run-arguments.js';
import {RUN_OPTIONS} from '../run/run-options.js';
import {machineLines} from '../run/machine-lines.js';
import {listSwitches} from '../run/switch-options.js';
import {shadowLines} from '../run/shadow-lines.js';
import {translationLines} from '../run/translation-lines.js';
import {withUsers} from '../run/users.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import {progress, short} from '../terminal/progress.js';
import {table} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';
import type {Command, CommandContext} from './command.js';

export const RUN: Command = {
  name: 'run',
  summary: 'run a guest or any image, and say how it ended',
  usage: 'hyperscope run IMAGE [--on TECHNIQUE] [options]',
  description: [
    'IMAGE is a guest (hyperscope guests), an .asm file, or a file that runs unchanged: a boot sector or disk image ' +
      '(its first sector ends in 55AA; loaded at 0x7c00), a multiboot-1 kernel, a 64-bit ELF file; with --as rom a ROM, with --as raw ' +
      'any flat binary at --at, in --mode, with registers from --set.',
    'What the guest prints on its first serial port goes to standard output as it comes; how it ended and its exits go ' +
      'to standard error. With --json - the result alone is on standard output.',
    'Ports at which nothing answers read all ones and are counted. An instruction outside the supported set is named, ' +
      'with its bytes and address; it is never guessed.',
  ],
  options: RUN_OPTIONS,
  examples: [
    {line: 'hyperscope run hello-kvm', what: 'A guest under simulated VT-x with EPT.'},
    {line: 'hyperscope run hello-kvm --on kvm', what: "The same bytes on this machine's KVM."},
    {line: 'hyperscope run mini-os --on vtx-shadow --switch user-bit=off', what: 'A hypervisor with a mistake in it.'},
    {
      line: 'hyperscope run boot.img --stop-serial "login:" --timeout 10',
      what: 'A boot sector, until it prints something.',
    },
    {
      line: 'hyperscope run kernel --append "test=1" --module initrd --exit-port 0xf4 --json -',
      what: 'A multiboot kernel, judged by a script.',
    },
    {
      line: 'hyperscope run cms-punch --user CMS3=cms-count --share CMS3=2',
      what: 'Three users of a control program after CP-67.',
    },
    {
      line: 'hyperscope run code.bin --as raw --at 0x1000 --mode long --set rax=5 --dump-memory 0x2000:16',
      what: 'A flat binary in 64-bit mode, and what it left in memory.',
    },
  ],
  exitCodes: [
    {
      code: 0,
      what: 'the guest stopped: HLT with nothing to wake it, debug exit (of any value), power-off, --stop-serial',
    },
    {code: 1, what: 'a mistake in Hyperscope'},
    {code: 2, what: 'bad usage, or an image that cannot be read'},
    {code: 3, what: 'triple fault; the message tells the chain of faults'},
    {code: 4, what: 'a limit was reached'},
    {code: 5, what: 'an instruction or device outside the supported set'},
    {code: 6, what: 'KVM failed, or is not there'},
  ],
  run: runCommand,
};

async function runCommand(args: readonly string[], context: CommandContext): Promise<number> {
  const parsed = parseArguments(RUN_OPTIONS, args);
  if (parsed.value('cpu') === 'list') return listProcessors(context.terminal);
  if (parsed.value('cost-model') === 'list') return listCostModels(context.terminal);
  if (parsed.values('switch').includes('list')) return listSwitches(parsed.value('on') ?? 'vtx-ept', context.terminal);
  const given = readRunArguments(parsed);
  for (const path of outputs(given)) checkWritable(path);
  const loaded = withIrqchip(loadProgram(given, context.terminal), given.irqchip);
  const program = withUsers(loaded, given.beside, context.terminal);
  checkDumps(given, program);
  for (const {path} of given.disks) readBytes(path);
  const missing = missingForDisk(given);
  const executed =
    missing === undefined ? await runProgramToEnd(given, program, context) : withoutDisk(given.technique, missing);
  await writeOutputs(given, executed);
  report(given, executed.result, context.terminal);
  return exitStatusOf(executed.result.outcome);
}

/** Every file that the run will write. */
function outputs(given: RunArguments): readonly string[] {
  const {capturePorts, json, record, serial, trace} = given;
  return [
    ...[serial, json].flatMap(sink => (sink?.kind === 'file' ? [sink.path] : [])),
    ...[record, trace].filter(path => path !== undefined),
    ...capturePorts.map(({path}) => path),
  ];
}

/** @throws UserError 'usage' for a dump of what is neither memory nor ROM. */
function checkDumps({dumps}: RunArguments, {loaded: {image}}: Program): void {
  const inside = (address: number, length: number, start: number, size: number): boolean =>
    address >= start && address + length <= start + size;
  for (const {address, length} of dumps) {
    const at = Number(address);
    if (inside(at, length, 0, image.memoryBytes)) continue;
    if (image.segments.some(({gpa, bytes}) => inside(at, length, gpa, bytes.length))) continue;
    throw usage(
      `--dump-memory ${hex(address)}:${length} lies outside the guest's memory, which ends at ${hex(image.memoryBytes)}. Give it more with --memory, or ask for less.`,
    );
  }
}

/** The result where a disk was asked for that the machine cannot have: a device outside the supported set. */
function withoutDisk(technique: string, what: string): Executed {
  return {
    record: undefined,
    captured: new Map(),
    result: {
      ...NOTHING_RAN,
      engine: technique === 'kvm' ? 'kvm' : 'simulated',
      technique,
      outcome: 'unsupported',
      unsupported: [{address: '', bytes: '', what}],
      message: `The machine does not have ${what} yet, so nothing was run. Use --on bare or vtx-ept with --disk 0:FILE, or leave --disk out.`,
    },
  };
}

/** The program, asking for its interrupt controllers where --irqchip wants them. */
function withIrqchip(program: Program, irqchip: RunArguments['irqchip']): Program {
  if (irqchip === undefined) return program;
  const image = {...program.loaded.image, irqchip: irqchip === 'kernel' ? irqchip : undefined};
  return {...program, loaded: {...program.loaded, image}};
}

async function runProgramToEnd(
  given: RunArguments,
  program: Program,
  {terminal, clock}: CommandContext,
): Promise<Executed> {
  const serial = serialSink(given, terminal);
  const unit = given.technique === 'kvm' ? 'exits' : 'instructions';
  const line = progress(terminal, clock, unit, given.maxInstructions);
  const script = given.serialScript;
  try {
    const execution: Execution = {
      program,
      technique: given.technique,
      ports: {
        exitPort: given.exitPort,
        powerOffPort: given.powerOffPort,
        capturePorts: given.capturePorts.map(({port}) => port),
      },
      profile: profileText(given),
      costModel: given.costModel,
      disks: hardDisks(given, program),
      coalescedMmio: given.coalescedMmio,
      rings: given.rings,
      switches: given.switches,
      sharing: given.beside?.sharing,
      maxInstructions: given.maxInstructions,
      timeoutMilliseconds: given.timeoutSeconds === undefined ? undefined : given.timeoutSeconds * 1000,
      serialScript: script === undefined ? [] : parseSerialScript(readText(script)),
      stopSerial: given.stopSerial,
      dumps: given.dumps.map(({address, length}) => ({address: Number(address), length})),
      recording: given.record === undefined && given.trace === undefined ? 'off' : 'on',
      depth: given.depth,
      clock,
      onNote: note => terminal.note(note),
      onProgress: (done, printed) => {
        serial.write(printed);
        line.update(done);
      },
    };
    if (!isQemu(given.technique)) return execute(execution);
    if (execution.recording === 'on')
      throw usage('QEMU tells only how a run ended: leave out --record and --trace, or choose another --on.');
    return await runOnQemu(execution, given.technique);
  } finally {
    line.end();
    serial.end();
  }
}

/** The processor of a simulated run, as the techniques read it: 'westmere,+smep,vendor=AuthenticAMD'. */
function profileText({cpu, vendor}: RunArguments): string | undefined {
  const parts = [
    cpu.profile ?? '',
    ...cpu.add.map(feature => `+${feature}`),
    ...cpu.remove.map(feature => `-${feature}`),
    ...(vendor === undefined ? [] : [`vendor=${vendor}`]),
  ];
  return parts.length === 1 && parts[0] === '' ? undefined : parts.join(',');
}

/** Where the guest's first serial port goes, as it prints. */
function serialSink(given: RunArguments, terminal: Terminal): {write(bytes: Uint8Array): void; end(): void} {
  const sink: Sink | 'notes' = given.serial ?? (given.json?.kind === 'stdout' ? 'notes' : {kind: 'stdout'});
  if (sink !== 'notes' && sink.kind === 'file') {
    const printed: Uint8Array[] = [];
    return {write: bytes => void printed.push(bytes), end: () => writeBytes(sink.path, Buffer.concat(printed))};
  }
  let last: number | undefined;
  return {
    write: bytes => {
      if (bytes.length === 0) return;
      last = bytes.at(-1);
      if (sink === 'notes') terminal.noteBytes(bytes);
      else terminal.write(bytes);
    },
    // What follows begins on a line of its own, where a person looks.
    end: () => {
      if (last !== undefined && last !== 0x0a) terminal.noteBytes(new TextEncoder().encode('\n'));
    },
  };
}

async function writeOutputs(given: RunArguments, {record, captured}: Executed): Promise<void> {
  for (const {port, path} of given.capturePorts) writeBytes(path, captured.get(port) ?? new Uint8Array());
  if (record === undefined) return;
  if (given.record !== undefined) writeBytes(given.record, await writeRecord(record));
  if (given.trace !== undefined) writeBytes(given.trace, traceLines(record));
}

function report(given: RunArguments, result: ExecutionResult, terminal: Terminal): void {
  if (given.json !== undefined) {
    const text = `${JSON.stringify(result, undefined, 2)}\n`;
    if (given.json.kind === 'stdout') terminal.write(text);
    else writeBytes(given.json.path, text);
  }
  if (given.json?.kind === 'stdout') return;
  const good = exitStatusOf(result.outcome) === EXIT.ok;
  terminal.note(`${terminal.noteStyle(good ? 'green' : 'red', result.outcome)}: ${result.message}`);
  const work = result.instructions === null ? '' : `${short(result.instructions)} instructions, `;
  terminal.note(terminal.noteStyle('dim', `${result.technique}: ${work}${result.seconds.toFixed(3)} s`));
  for (const line of machineLines(result.virtualMachines)) terminal.note(`  ${line}`);
  for (const line of shadowLines(result.shadowPaging)) terminal.note(`  ${line}`);
  for (const line of translationLines(result.translation)) terminal.note(`  ${line}`);
  const exits = Object.entries(result.exits).sort((a, b) => b[1] - a[1]);
  if (exits.length === 0) return;
  const rows = exits.map(([reason, count]) => [reason, String(count)]);
  for (const line of table(
    [
      {title: 'exit', align: 'left'},
      {title: 'count', align: 'right'},
    ],
    rows,
  ))
    terminal.note(`  ${line}`);
}
