// `hyperscope fuzz --vmcs` and `--vmcb`: VM entries of damaged control blocks, and whether they ended as the manual says.

import {ControlBlockCampaign, createVmcbBench, createVmcsBench} from '@hyperscope/simulation';
import type {ControlBlockBench, ControlBlockFinding} from '@hyperscope/simulation';
import {EXIT} from '../exit-status.js';
import {progress} from '../terminal/progress.js';
import {table, wrap} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';
import type {CommandContext} from './command.js';

export interface ControlBlockRequest {
  readonly cases: number;
  readonly seed: number;
  /** The number of one case, to see it again. */
  readonly only: number | undefined;
}

export const CONTROL_BLOCK_CASES = 25_000;
const SHOWN = 10;
/** Cases between two looks at Ctrl-C. */
const BATCH = 500;
const ENDINGS = {
  entered: 'entered',
  controls: 'refused for its controls',
  host: 'refused for its host state',
  guest: 'refused for its guest state',
  'msr-loading': 'refused for its MSR list',
  'something else': 'something else',
} as const;

export async function fuzzControlBlocks(
  kind: 'vmcs' | 'vmcb',
  request: ControlBlockRequest,
  context: CommandContext,
): Promise<number> {
  return kind === 'vmcs'
    ? runCampaign(createVmcsBench(), request, context)
    : runCampaign(createVmcbBench(), request, context);
}

async function runCampaign<Field extends string>(
  bench: ControlBlockBench<Field>,
  {cases, seed, only}: ControlBlockRequest,
  {terminal, clock, interrupted}: CommandContext,
): Promise<number> {
  const campaign = new ControlBlockCampaign(bench, seed);
  const stop = interrupted();
  const bar = progress(terminal, clock, `entries of damaged ${bench.title}s`, cases);
  const findings: ControlBlockFinding[] = [];
  const first = only ?? 0;
  const end = only === undefined ? cases : only + 1;
  for (let number = first; number < end && !stop.aborted; number++) {
    const finding = campaign.run(number);
    if (finding !== undefined && findings.length < SHOWN) findings.push(finding);
    if (number % BATCH !== 0) continue;
    bar.update(campaign.cases);
    await new Promise(resolve => setImmediate(resolve));
  }
  bar.end();
  report(campaign, terminal);
  for (const finding of findings) printFinding(finding, bench.title.toLowerCase(), seed, terminal);
  return campaign.findings > 0 ? EXIT.unexplained : EXIT.ok;
}

function report<Field extends string>(campaign: ControlBlockCampaign<Field>, terminal: Terminal): void {
  terminal.line(
    `${campaign.cases} entries of damaged ${campaign.bench.title}s; ${campaign.broken.size} rules were broken; ${campaign.findings} findings.`,
  );
  const columns = [
    {title: 'ended', align: 'left'},
    {title: 'entries', align: 'right'},
  ] as const;
  const rows = [...campaign.endings].map(([ending, count]) => [ENDINGS[ending], String(count)]);
  for (const line of table(columns, rows)) terminal.line(line);
}

function printFinding(finding: ControlBlockFinding, option: string, seed: number, terminal: Terminal): void {
  terminal.line();
  terminal.line(terminal.style('bold', `${finding.guest}: ${finding.why}`));
  for (const {field, value} of finding.changes) terminal.line(`  ${field} ← ${value.toString(16)}h`);
  for (const rule of finding.broken) for (const line of wrap(`broken: ${rule}`, 100, '  ')) terminal.line(line);
  terminal.line(`  Again: hyperscope fuzz --${option} --seed ${seed} --program ${finding.number}`);
}
