// Keeps the lab for when there is no network, and the documentation when a page asks for that: one of it that was opened, or the
// button of the lab's help. The build puts the list of files, and names made from their contents, before this text
// (packages/tools/offline-files.mjs), so that a new build is a new worker.

/// <reference lib="webworker" />

import {KeptFiles, type OfflineFiles} from './keep-files.js';
import {readOfflineRequest, stateMessage, troubleMessage} from './offline-messages.js';
import {answer, sourceOf} from './serve-offline.js';

declare const self: ServiceWorkerGlobalScope;
declare const OFFLINE_FILES: OfflineFiles;

const {scope} = self.registration;

async function tell(message: unknown): Promise<void> {
  for (const client of await self.clients.matchAll({includeUncontrolled: true})) client.postMessage(message);
}

const tellState = async (): Promise<void> => tell(stateMessage(await files.state()));

const files: KeptFiles = new KeptFiles(OFFLINE_FILES, {
  storage: caches,
  fetch: async request => fetch(request),
  scope,
  progress: () => void tellState(),
});

/** Keeps the documentation; where that fails, whoever looks is told why, and the next visit goes on. */
async function keepDocumentation(): Promise<void> {
  try {
    await files.keep('documentation');
  } catch (error) {
    await tell(troubleMessage(error instanceof Error ? error.message : String(error)));
  }
}

self.addEventListener('install', event => {
  event.waitUntil(files.keep('lab').then(async () => self.skipWaiting()));
});

self.addEventListener('activate', event => {
  const takeOver = async (): Promise<void> => {
    const others = await files.forgetOthers();
    await self.clients.claim();
    await tellState();
    if (others === 'had documentation') await keepDocumentation();
  };
  event.waitUntil(takeOver());
});

self.addEventListener('message', event => {
  const request = readOfflineRequest(event.data);
  if (request === 'tell') event.waitUntil(tellState());
  if (request === 'keep documentation') event.waitUntil(keepDocumentation());
});

self.addEventListener('fetch', event => {
  const source = sourceOf(event.request, scope);
  if (source === 'leave') return;
  event.respondWith(answer(event.request, source, {kept: files, fetch: async request => fetch(request)}));
});
