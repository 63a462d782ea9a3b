// `hyperscope fuzz --kernels`: random kernels in binary translation, each beside bare metal, instruction by instruction and once more with
// interrupts at random moments.

import {UserError} from '@hyperscope/base';
import {assemble} from '@hyperscope/assembler';
import {KERNEL_MODES, KernelFuzz, kernelProgram} from '@hyperscope/simulation';
import type {KernelFinding, KernelMode} from '@hyperscope/simulation';
import {EXIT} from '../exit-status.js';
import {progress} from '../terminal/progress.js';
import {table} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';
import type {CommandContext} from './command.js';

export interface KernelRequest {
  /** Programs in each mode. */
  readonly programs: number;
  readonly seed: number;
  /** The number of one program, to see it again. */
  readonly only: number | undefined;
}

export const KERNEL_PROGRAMS = 50;
const TECHNIQUE = 'binary-translation';
const PROCESSOR = 'westmere';
const SHOWN = 5;

interface ModeReport {
  readonly mode: KernelMode;
  programs: number;
  /** Bare metal found no end of them. */
  endless: number;
  instructions: number;
  interrupts: number;
  readonly findings: {readonly number: number; readonly finding: KernelFinding}[];
}

export async function fuzzKernels(request: KernelRequest, context: CommandContext): Promise<number> {
  const {terminal} = context;
  const reports: ModeReport[] = [];
  const stop = context.interrupted();
  for (const mode of KERNEL_MODES) if (!stop.aborted) reports.push(await runMode(mode, request, context, stop));
  printReports(reports, terminal);
  for (const {mode, findings} of reports)
    for (const {number, finding} of findings.slice(0, SHOWN)) {
      terminal.line();
      terminal.line(terminal.style('bold', `${mode}, program ${number}: ${finding.where}`));
      terminal.line(`  bare metal:  ${finding.bare}`);
      terminal.line(`  translation: ${finding.other}`);
      terminal.line(`  Again: hyperscope fuzz --kernels --seed ${request.seed} --program ${number}`);
    }
  if (request.only !== undefined) for (const mode of KERNEL_MODES) printProgram(mode, request, terminal);
  return reports.some(({findings}) => findings.length > 0) ? EXIT.unexplained : EXIT.ok;
}

async function runMode(
  mode: KernelMode,
  {programs, seed, only}: KernelRequest,
  {terminal, clock}: CommandContext,
  stop: {readonly aborted: boolean},
): Promise<ModeReport> {
  const fuzz = new KernelFuzz(TECHNIQUE, PROCESSOR);
  const report: ModeReport = {mode, programs: 0, endless: 0, instructions: 0, interrupts: 0, findings: []};
  const bar = progress(terminal, clock, `kernels, ${mode}`, programs);
  const end = only === undefined ? programs : only + 1;
  for (let number = only ?? 0; number < end && !stop.aborted; number++) {
    const result = fuzz.compare(mode, codeOf(mode, seed, number), number);
    report.programs++;
    if (result === undefined) report.endless++;
    else {
      report.instructions += result.instructions;
      report.interrupts += result.interrupts;
      if (result.finding !== undefined) report.findings.push({number, finding: result.finding});
    }
    bar.update(report.programs);
    await new Promise(resolve => setImmediate(resolve));
  }
  bar.end();
  return report;
}

function codeOf(mode: KernelMode, seed: number, number: number): Uint8Array {
  const assembly = assemble(kernelProgram(seed, number, mode));
  if (assembly.ok) return assembly.bytes;
  const [first] = assembly.diagnostics;
  throw new UserError(
    'kernel-program',
    `Program ${number} cannot be assembled: ${first?.message ?? 'nobody knows why'}`,
  );
}

function printReports(reports: readonly ModeReport[], terminal: Terminal): void {
  const columns = [
    {title: 'mode', align: 'left'},
    {title: 'programs', align: 'right'},
    {title: 'without an end', align: 'right'},
    {title: 'instructions', align: 'right'},
    {title: 'interrupts', align: 'right'},
    {title: 'findings', align: 'right'},
  ] as const;
  const rows = reports.map(({mode, programs, endless, instructions, interrupts, findings}) => [
    mode,
    ...[programs, endless, instructions, interrupts, findings.length].map(String),
  ]);
  for (const line of table(columns, rows)) terminal.line(line);
}

function printProgram(mode: KernelMode, {seed, only}: KernelRequest, terminal: Terminal): void {
  terminal.line();
  terminal.line(terminal.style('bold', `Program ${only ?? 0}, ${mode}`));
  for (const line of kernelProgram(seed, only ?? 0, mode).split('\n')) terminal.line(`  ${line}`);
}
