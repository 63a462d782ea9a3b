// Keeps the lab for when there is no network. The build puts the list of its files, and a name made from their contents, before
// this text (packages/tools/build.mjs), so that a new build is a new worker.

/// <reference lib="webworker" />

import {answer, sourceOf} from './serve-offline.js';

declare const self: ServiceWorkerGlobalScope;
declare const OFFLINE_FILES: {
  /** Of this build. */
  readonly version: string;
  /** Paths relative to the folder of the lab. */
  readonly paths: readonly string[];
};

const PREFIX = 'hyperscope-';
const CACHE = PREFIX + OFFLINE_FILES.version;
const {scope} = self.registration;

self.addEventListener('install', event => {
  const keep = async (): Promise<void> => {
    const cache = await caches.open(CACHE);
    await cache.addAll(OFFLINE_FILES.paths.map(path => new Request(new URL(path, scope), {cache: 'no-cache'})));
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener('activate', event => {
  const takeOver = async (): Promise<void> => {
    const old = (await caches.keys()).filter(name => name.startsWith(PREFIX) && name !== CACHE);
    await Promise.all(old.map(async name => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(takeOver());
});

self.addEventListener('fetch', event => {
  const source = sourceOf(event.request, scope);
  if (source === 'leave') return;
  const respond = async (): Promise<Response> =>
    answer(event.request, source, {kept: await caches.open(CACHE), fetch: async request => fetch(request)});
  event.respondWith(respond());
});
