// One ioctl is one method, one declaration and one test: what index.d.ts declares, what the C++ classes define and what the tests
// on the real device call are the same list. (The negative twins: addon-refusals.kvmtest.ts, where the compiler counts.)

import {readFileSync, readdirSync} from 'node:fs';
import {describe, expect, test} from 'vitest';

const here = new URL('./', import.meta.url);
const native = new URL('../../../native/', import.meta.url);
const text = (url: URL): string => readFileSync(url, 'utf8');

const declaration = text(new URL('index.d.ts', native));
const sources = readdirSync(new URL('kvm/', native))
  .filter(name => name.endsWith('.cc'))
  .map(name => text(new URL(`kvm/${name}`, native)))
  .join('\n');
const tests = readdirSync(here)
  .filter(name => name.endsWith('.kvmtest.ts'))
  .map(name => ({name, text: text(new URL(name, here))}));

/** Names of the methods that the interface declares; `readonly id` and the like are none. */
function declared(type: string): readonly string[] {
  const body = new RegExp(`export interface ${type} \\{([^]*?)\\n\\}`).exec(declaration)?.[1] ?? '';
  return [...body.matchAll(/^ {2}([a-zA-Z0-9]+)\(/gm)].map(found => found[1] ?? '').toSorted();
}

const CLASSES = ['Kvm', 'Vm', 'Vcpu', 'Tracepoints'];

describe.each(CLASSES)('%s', type => {
  test('declares what the addon defines', () => {
    const defined = [...sources.matchAll(new RegExp(`InstanceMethod<&${type}::\\w+>\\("(\\w+)"\\)`, 'g'))];
    expect(declared(type).length).toBeGreaterThan(3);
    expect(declared(type)).toEqual(defined.map(found => found[1] ?? '').toSorted());
  });

  test('each of its methods is called where it must succeed, on the real device', () => {
    const positive = tests.filter(({name}) => type === 'Tracepoints' || name !== 'addon-refusals.kvmtest.ts');
    const all = positive.map(each => each.text).join('\n');
    expect(declared(type).filter(method => !new RegExp(`\\.${method}\\(`).test(all))).toEqual([]);
  });
});

test('every ioctl goes through the one wrapper, under its own name', () => {
  const calls = [
    ...sources.matchAll(/\b(?:Ioctl|Transfer<\w+>)\((?:info(?:\.Env\(\))?|env), ?(?:[^;]*?)(KVM_\w+), "(\w+)"/g),
  ];
  expect(calls.length).toBeGreaterThan(25);
  for (const [, request, name] of calls) expect(name).toBe(request);
  // KVM_RUN alone does not: there EINTR is the message.
  const bare = [...sources.matchAll(/[^:\w]ioctl\([^,]*, (\w+)/g)].map(found => found[1] ?? '');
  expect([...new Set(bare)].toSorted()).toEqual(['KVM_RUN', 'request']);
});
