import {readFileSync, readdirSync} from 'node:fs';
import {expect, test} from 'vitest';
import {requireScenario} from './read-scenario.js';
import {SHIPPED} from './shipped.generated.js';

const folder = new URL('../scenarios/', import.meta.url);
const files = readdirSync(folder).filter(name => name.endsWith('.md'));

test('the module holds the files, as node packages/tools/generate-scenarios.mjs writes it', () => {
  expect(SHIPPED.map(({name}) => name).sort()).toEqual(files.sort());
  for (const {name, text} of SHIPPED) expect(text).toBe(readFileSync(new URL(name, folder), 'utf8'));
});

test('every file that ships is well formed, and its name tells the demonstration', () => {
  for (const {name, text} of SHIPPED)
    expect(name.startsWith(`${requireScenario(text, name).demonstration?.toLowerCase()}-`)).toBe(true);
});
