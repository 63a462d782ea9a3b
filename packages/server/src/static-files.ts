// The built page. Files whose names carry a hash are kept for ever; the rest is asked for again each time.

import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join, sep} from 'node:path';
import fastifyStatic from '@fastify/static';
import type {FastifyInstance} from 'fastify';

const FOR_EVER = 'public, max-age=31536000, immutable';

/** The HTML of the lab and of every page of its documentation; none when it has not been built. */
export function readPages(folder: string): readonly string[] {
  if (!existsSync(join(folder, 'index.html'))) return [];
  return readdirSync(folder, {recursive: true, encoding: 'utf8'})
    .filter(path => path.endsWith('.html'))
    .map(path => readFileSync(join(folder, path), 'utf8'));
}

/** Serves `folder`, as `.br` where the build made one. A path without an ending is the page: the page reads it. */
export async function serveFiles(app: FastifyInstance, folder: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: folder,
    preCompressed: true,
    // docs is docs/.
    redirect: true,
    // Its own header would win over ours (measured: index.html came out immutable).
    cacheControl: false,
    setHeaders: (reply, path) => {
      reply.setHeader('cache-control', path.includes(`${sep}assets${sep}`) ? FOR_EVER : 'no-cache');
    },
  });
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.replace(/\?.*$/, '');
    const isPage = request.method === 'GET' && !path.startsWith('/api/') && !/\.[^/]*$/.test(path);
    if (isPage) return reply.sendFile('index.html');
    return reply.code(404).send({code: 'not-found', message: `There is nothing at ${path}.`});
  });
}

/** What is served before the first build. */
export function serveNothingYet(app: FastifyInstance): void {
  app.setNotFoundHandler(async (_request, reply) =>
    reply
      .code(503)
      .send({code: 'not-built', message: 'The page is not built yet. Run `npm start` in the root of the repository.'}),
  );
}
