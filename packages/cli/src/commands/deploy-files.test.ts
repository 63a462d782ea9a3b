// docs/deploy: what is written there is understood by the program as it is, and what watches the server asks for what it answers.

import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {DEFAULT_LIMITS, createApp, withLimits} from '@hyperscope/server';
import {parseArguments} from '../terminal/arguments.js';
import {SERVE} from './serve.js';

const docs = new URL('../../../../docs/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, docs), 'utf8');
const unit = read('deploy/hyperscope.service');
const image = read('deploy/Containerfile');
const manifest = read('deploy/kubernetes.yaml');

const match = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';
/** `["a", "b"]` or `['a', 'b']` as its texts. */
const list = (text: string): readonly string[] => [...text.matchAll(/["']([^"']*)["']/g)].map(found => found[1] ?? '');

const entry = list(match(image, /^ENTRYPOINT \[(.*)\]$/m));
const CALLS: readonly (readonly [where: string, call: readonly string[]])[] = [
  ['the unit', match(unit, /^ExecStart=\/usr\/bin\/(.*)$/m).split(' ')],
  ['the image', [...entry, ...list(match(image, /^CMD \[(.*)\]$/m))]],
  // Its args stand in the place of CMD.
  ['the pod', [...entry, ...list(match(manifest, /args: \[(.*)\]/))]],
];

/** Options of `hyperscope serve`, as written. */
const served = (call: readonly string[]): readonly string[] => {
  expect(call.slice(0, 3)).toEqual(['node', 'packages/cli/bin/hyperscope.mjs', 'serve']);
  return call.slice(3);
};

describe.each(CALLS)('%s', (_where, call) => {
  test('starts the server with options that it has', () => {
    const given = parseArguments(SERVE.options, served(call));
    expect(given.positionals).toEqual([]);
    expect(given.value('port')).toBe('8086');
    expect(withLimits(given.values('limit')).queue).toBeGreaterThan(DEFAULT_LIMITS.queue);
  });
});

async function app() {
  const kvm = {
    answer: () => ({available: false, code: 'ENOENT', message: 'None.'}) as const,
    run: () => Promise.reject(),
  };
  const quiet = {limits: DEFAULT_LIMITS, token: undefined, log: 'error', proxy: 'none', names: []} as const;
  return createApp({...quiet, pageFolder: '/nowhere', version: '1', kvm});
}

test('what the probes and the scraper ask for is answered', async () => {
  const server = await app();
  const paths = [...manifest.matchAll(/httpGet: \{path: (\S+), port: http\}|prometheus\.io\/path: ([^\s}]+)/g)].map(
    found => found[1] ?? found[2] ?? '',
  );
  expect(paths.toSorted()).toEqual(['/healthz', '/healthz', '/metrics']);
  for (const path of paths)
    expect((await server.inject({url: path, headers: {host: '10.0.0.7'}})).statusCode).toBe(200);
});

test('the autoscaler’s metric, and every other that is named, is printed by /metrics', async () => {
  const {body} = await (await app()).inject({url: '/metrics', headers: {host: 'localhost'}});
  const printed = new Set([...body.matchAll(/^# TYPE (hyperscope_\w+) /gm)].map(found => found[1] ?? ''));
  const scaled = match(manifest, /metric: \{name: (\w+)\}/);
  expect(body).toMatch(new RegExp(`^${scaled} 0$`, 'm'));
  const named = [manifest, read('for-a-class.md'), read('security.md')].flatMap(
    text => text.match(/hyperscope_\w+/g) ?? [],
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter(name => !printed.has(name))).toEqual([]);
});

test('ports agree', () => {
  expect(match(image, /^EXPOSE (\d+)$/m)).toBe('8086');
  expect(match(manifest, /containerPort: (\d+)/)).toBe('8086');
  expect(match(manifest, /prometheus\.io\/port: '(\d+)'/)).toBe('8086');
});
