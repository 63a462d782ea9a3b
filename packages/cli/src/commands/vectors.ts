// `hyperscope vectors`: instructions as real chips were seen to execute them, executed here and compared.

import {existsSync, readFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {gunzipSync} from 'node:zlib';
import {UserError} from '@hyperscope/base';
import {
  EXCLUSION_RULES,
  REVOKED,
  VectorReport,
  flagsMaskOf,
  looksMoo,
  looksPacked,
  readMoo,
  readPacked,
  revokedHashes,
} from '@hyperscope/simulation';
import type {FormReport, Vector} from '@hyperscope/simulation';
import {EXIT} from '../exit-status.js';
import {checkWritable, readBytes, writeBytes} from '../files.js';
import {parseNumber} from '../run/numbers.js';
import {parseArguments, usage} from '../terminal/arguments.js';
import {progress} from '../terminal/progress.js';
import {table, wrap} from '../terminal/table.js';
import type {Terminal} from '../terminal/terminal.js';
import type {Command, CommandContext} from './command.js';

const OPTIONS = {
  limit: {value: 'N', short: 'n', help: 'At most so many vectors of each opcode form. Default: all.'},
  json: {value: 'FILE|-', help: 'Write the counts, and the first wrong vector of each form, as JSON.'},
} as const;

export const VECTORS: Command = {
  name: 'vectors',
  summary: 'what real chips did, instruction by instruction, beside what is simulated',
  usage: 'hyperscope vectors FILE… [--limit N] [--json FILE|-]',
  description: [
    'A vector is one instruction with all registers and the memory around it, before and after, captured from the pins ' +
      'of a real processor (SingleStepTests: 8086, 80286, 80386). Each is executed here, and every register, defined ' +
      'flag and byte of memory compared, those included that the chip left alone.',
    'FILE is a MOO file (00.MOO or 00.MOO.gz; the opcode form is its name) or the packed form (one JSON object a line, ' +
      'gzipped or not). metadata.json (undefined flags) and revocation_list.txt (bad captures) count where they lie ' +
      'beside a MOO file, the list also one folder above.',
    'The table has a row for each opcode form: right, wrong with the first example, excluded with the rule. Rules say ' +
      'where later processors differ from the captured one; they excuse only what came out differently.',
  ],
  options: OPTIONS,
  examples: [
    {line: 'hyperscope vectors real286.ndjson.gz', what: 'All vectors of a packed file.'},
    {line: 'hyperscope vectors v1_real_mode/*.MOO.gz --limit 1000', what: 'A thousand of each form of a collection.'},
    {line: 'hyperscope vectors F7.6.MOO.gz --json -', what: 'One form, for a script.'},
  ],
  exitCodes: [
    {code: 0, what: 'every vector is right, or excluded by a rule'},
    {code: 1, what: 'one is wrong'},
    {code: 2, what: 'bad usage, or a file that holds no vectors'},
  ],
  run: async (args, context) => runVectors(args, context),
};

const DRAW_EVERY = 500;

function runVectors(args: readonly string[], {terminal, clock}: CommandContext): number {
  const given = parseArguments(OPTIONS, args);
  const json = given.value('json');
  const limit = given.value('limit');
  if (given.positionals.length === 0) throw usage('Give a file of vectors, MOO or packed.');
  if (json !== undefined && json !== '-') checkWritable(json);
  const report = new VectorReport({
    limit: limit === undefined ? undefined : parseNumber(limit, '--limit', 1),
    revoked: revokedBeside(given.positionals),
  });
  const bar = progress(terminal, clock, 'vectors', undefined);
  const started = clock.now();
  for (const path of given.positionals) {
    for (const vector of vectorsOf(path)) {
      if (report.isFull(vector.form) && looksLikeMoo(path)) break;
      report.add(vector);
      if (report.ran % DRAW_EVERY === 0) bar.update(report.ran);
    }
  }
  const seconds = (clock.now() - started) / 1000;
  bar.end();
  const {forms} = report;
  if (forms.length === 0) throw new UserError('bad-vectors', 'There is no vector in what was given.');
  const text = `${JSON.stringify({vectors: report.ran, forms}, undefined, 2)}\n`;
  if (json === '-') terminal.write(text);
  else printReport(forms, {ran: report.ran, seconds}, terminal);
  if (json !== undefined && json !== '-') writeBytes(json, text);
  return forms.some(form => form.wrong > 0) ? EXIT.unexplained : EXIT.ok;
}

/** A MOO file holds one form, so a full form ends it. */
const looksLikeMoo = (path: string): boolean => /\.moo(\.gz)?$/i.test(path);

/** The vectors of a file, whichever form it has. @throws UserError 'bad-vectors' with the file's name */
function* vectorsOf(path: string): Generator<Vector> {
  const bytes = unpacked(readBytes(path), path);
  if (!looksMoo(bytes) && !looksPacked(bytes))
    throw new UserError('bad-vectors', `${path} holds no vectors: it is neither MOO nor the packed form.`);
  try {
    if (looksMoo(bytes)) yield* readMoo(bytes, mooOptions(path));
    else yield* readPacked(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof UserError) throw new UserError(error.code, `${path}: ${error.message}`);
    throw error;
  }
}

function unpacked(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch {
    throw new UserError('bad-vectors', `${path} is damaged: gzip cannot unpack it.`);
  }
}

function mooOptions(path: string): {readonly form: string; readonly flagsMask: number | undefined} {
  const form = basename(path)
    .replace(/\.gz$/i, '')
    .replace(/\.moo$/i, '');
  const beside = join(dirname(path), 'metadata.json');
  if (!existsSync(beside)) return {form, flagsMask: undefined};
  return {form, flagsMask: flagsMaskOf(parseMetadata(beside), form)};
}

function parseMetadata(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new UserError('bad-vectors', `${path}, beside the vectors, is no JSON. Repair it or move it away.`);
  }
}

function revokedBeside(paths: readonly string[]): ReadonlySet<string> {
  const folders = new Set(paths.flatMap(path => [dirname(path), join(dirname(path), '..')]));
  const lists = [...folders].map(folder => join(folder, 'revocation_list.txt')).filter(list => existsSync(list));
  return new Set(lists.flatMap(list => [...revokedHashes(readFileSync(list, 'utf8'))]));
}

const excludedOf = ({excluded}: FormReport): string =>
  Object.entries(excluded)
    .map(([rule, count]) => `${count} ${rule}`)
    .join(', ');

function printReport(
  forms: readonly FormReport[],
  {ran, seconds}: {readonly ran: number; readonly seconds: number},
  terminal: Terminal,
): void {
  const {style} = terminal;
  const rows = forms.map(form => [
    form.form,
    String(form.right),
    form.wrong === 0 ? '0' : style('red', String(form.wrong)),
    excludedOf(form),
  ]);
  const columns = [
    {title: 'form', align: 'left'},
    {title: 'right', align: 'right'},
    {title: 'wrong', align: 'right'},
    {title: 'excluded, by rule', align: 'left'},
  ] as const;
  const [heading = '', ...lines] = table(columns, rows);
  terminal.line(style('bold', heading));
  for (const [i, line] of lines.entries()) {
    terminal.line(line);
    const example = forms[i]?.firstWrong;
    if (example === undefined) continue;
    terminal.line(`      first: number ${example.index}, ${example.name} (${example.bytes}) ${example.hash}`);
    for (const difference of example.differences) terminal.line(`        ${difference}`);
  }
  printRules(forms, terminal);
  const sum = (count: (form: FormReport) => number): number => forms.reduce((total, form) => total + count(form), 0);
  const excluded = sum(form => Object.values(form.excluded).reduce((total, count) => total + count, 0));
  terminal.line(`${sum(form => form.right)} right, ${sum(form => form.wrong)} wrong, ${excluded} excluded.`);
  terminal.note(
    `${ran} vectors in ${seconds.toFixed(1)} s, reading included: ${Math.round(ran / Math.max(seconds, 0.001))} a second.`,
  );
}

/** The reason of every rule that was used. */
function printRules(forms: readonly FormReport[], terminal: Terminal): void {
  const used = new Set(forms.flatMap(form => Object.keys(form.excluded)));
  for (const {id, reason} of [REVOKED, ...EXCLUSION_RULES]) {
    if (!used.has(id)) continue;
    for (const line of wrap(`${id}: ${reason}`, Math.min(100, terminal.width), '  ')) terminal.line(line);
  }
}
