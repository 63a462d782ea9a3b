// A folder for one test file's programs and outputs, removed at the end.

import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {assemble} from '@hyperscope/assembler';
import {assert} from '@hyperscope/base';

export interface Scratch {
  path(name: string): string;
  /** Writes text or bytes and gives the path. */
  file(name: string, contents: string | Uint8Array): string;
  /** Writes what NASM text assembles to, and gives the path. */
  program(name: string, source: string): string;
  read(name: string): Uint8Array;
  text(name: string): string;
  remove(): void;
}

export function scratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'hyperscope-'));
  const path = (name: string): string => join(folder, name);
  const file = (name: string, contents: string | Uint8Array): string => {
    writeFileSync(path(name), contents);
    return path(name);
  };
  return {
    path,
    file,
    program: (name, source) => {
      const assembly = assemble(source);
      assert(assembly.ok, `${name} assembles: ${assembly.ok ? '' : assembly.diagnostics[0]?.message}`);
      return file(name, assembly.bytes);
    },
    read: name => readFileSync(path(name)),
    text: name => readFileSync(path(name), 'utf8'),
    remove: () => rmSync(folder, {recursive: true}),
  };
}
