// Files that the user names: read with a sentence instead of a stack when they cannot be read.

import {accessSync, constants, readFileSync, statSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {UserError} from '@hyperscope/base';

/** The bytes of a file; `-` is standard input. @throws UserError 'unreadable' */
export function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path === '-' ? 0 : path);
  } catch (error) {
    throw new UserError('unreadable', `Cannot read ${path}: ${reason(error)}.`);
  }
}

/** Whether there is a file of this name. */
export function isFile(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isFile() ?? false;
}

/** Whether there is a folder of this name. */
export function isFolder(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isDirectory() ?? false;
}

/** Refuses now what `writeBytes` would refuse after the work is done. @throws UserError 'unwritable' */
export function checkWritable(path: string): void {
  try {
    const exists = statSync(path, {throwIfNoEntry: false}) !== undefined;
    accessSync(exists ? path : dirname(path), constants.W_OK);
  } catch (error) {
    throw new UserError('unwritable', `Cannot write ${path}: ${reason(error)}.`);
  }
  if (isFolder(path)) throw new UserError('unwritable', `Cannot write ${path}: it is a folder.`);
}

/** The text of a file; `-` is standard input. @throws UserError 'unreadable' */
export function readText(path: string): string {
  return new TextDecoder().decode(readBytes(path));
}

/** Writes a file. @throws UserError 'unwritable' */
export function writeBytes(path: string, bytes: Uint8Array | string): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    throw new UserError('unwritable', `Cannot write ${path}: ${reason(error)}.`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'you may not',
  EPERM: 'you may not',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk is read-only',
};

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return code === undefined ? String(error) : (REASONS[code] ?? code);
}
