// What the page and its service worker say to each other about what is kept. Both read what arrives strictly: they may be of
// different builds.

import type {Kept, OfflineState} from './keep-files.js';

/** What the page asks: to be told, or that the documentation be kept too. */
export const OFFLINE_REQUESTS = ['tell', 'keep documentation'] as const;
export type OfflineRequest = (typeof OFFLINE_REQUESTS)[number];

/** What the worker tells. */
export type OfflineNews =
  | {readonly kind: 'state'; readonly state: OfflineState}
  | {readonly kind: 'trouble'; readonly why: string};

const REQUEST = 'hyperscope-offline-request';
const NEWS = 'hyperscope-offline-news';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isCount = (value: unknown): value is number => typeof value === 'number' && value >= 0;

export function requestMessage(request: OfflineRequest): unknown {
  return {hyperscope: REQUEST, request};
}

export function stateMessage(state: OfflineState): unknown {
  return {hyperscope: NEWS, news: {kind: 'state', state}};
}

export function troubleMessage(why: string): unknown {
  return {hyperscope: NEWS, news: {kind: 'trouble', why}};
}

/** The request of a message; undefined for messages that are none of ours. */
export function readOfflineRequest(data: unknown): OfflineRequest | undefined {
  if (!isObject(data) || data['hyperscope'] !== REQUEST) return undefined;
  return OFFLINE_REQUESTS.find(request => request === data['request']);
}

function readKept(value: unknown): Kept | undefined {
  if (!isObject(value)) return undefined;
  const {kept, of, bytes} = value;
  return isCount(kept) && isCount(of) && isCount(bytes) ? {kept, of, bytes} : undefined;
}

/** The news of a message; undefined for messages that are none of ours. */
export function readOfflineNews(data: unknown): OfflineNews | undefined {
  if (!isObject(data) || data['hyperscope'] !== NEWS || !isObject(data['news'])) return undefined;
  const {kind, state, why} = data['news'];
  if (kind === 'trouble' && typeof why === 'string') return {kind, why};
  if (kind !== 'state' || !isObject(state)) return undefined;
  const [lab, documentation] = [readKept(state['lab']), readKept(state['documentation'])];
  return lab === undefined || documentation === undefined ? undefined : {kind, state: {lab, documentation}};
}
