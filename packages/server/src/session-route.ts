// GET /api/session: a page's connection to real KVM, as many as the limits allow.

import websocket from '@fastify/websocket';
import type {FastifyInstance} from 'fastify';
import {UserError} from '@hyperscope/base';
import type {KvmService} from './kvm-service.js';
import type {ServerLimits} from './limits.js';
import {serveSocket} from './session-socket.js';

/** What a message needs beside the image in it. */
const ENVELOPE = 4096;

/**
 * Teaches `app` WebSockets. Before any hook that may refuse a request: only of connections that it knows does the plugin
 * close the socket behind a refusal.
 */
export async function acceptSockets(app: FastifyInstance, {image}: ServerLimits): Promise<void> {
  await app.register(websocket, {
    options: {maxPayload: image + ENVELOPE, perMessageDeflate: false},
    // Nonsense from a peer is its fault, not ours: no stack in the log for it.
    errorHandler: (error, socket, request) => {
      request.log.debug(error, 'socket');
      socket.terminate();
    },
  });
}

export function addSessionRoute(app: FastifyInstance, service: KvmService): void {
  const {connections, connectionsPerClient} = service.limits;
  const open = new Map<string, number>();
  let all = 0;
  const count = (client: string, change: 1 | -1): void => {
    all += change;
    const left = (open.get(client) ?? 0) + change;
    if (left === 0) open.delete(client);
    else open.set(client, left);
    service.metrics.connections(all);
  };
  app.get(
    '/api/session',
    {
      websocket: true,
      preValidation: async request => {
        if (all < connections && (open.get(request.ip) ?? 0) < connectionsPerClient) return;
        service.metrics.refused('too-many-connections');
        throw new UserError('too-many-connections', 'Too many pages are connected to this server: close some.');
      },
    },
    (socket, request) => {
      count(request.ip, 1);
      socket.on('close', () => {
        count(request.ip, -1);
      });
      serveSocket(socket, service, request.ip, request.log);
    },
  );
}
