import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

export interface Server {
  url: string;
  /** The headers of every request so far. */
  requests: IncomingMessage["headers"][];
  /** The next requests get these answers, one each; the last one answers all further requests. */
  answers: Answer[];
}

/** A local HTTP server that lives until the test ends. */
export async function serve(...answers: Answer[]): Promise<Server> {
  const server: Server = { url: "", requests: [], answers };
  const http = createServer((request, response) => {
    server.requests.push(request.headers);
    const answer = server.answers.length > 1 ? server.answers.shift()! : server.answers[0];
    answer(response, request);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    return new Promise<void>((resolve) => http.close(() => resolve()));
  });
  server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/data.bin`;
  return server;
}

/** Serves `content` as a good server does: ranges, If-Range, ETag. With `cut`, the connection breaks after so many bytes. */
export function file(content: Uint8Array, { etag = '"v1"', cut = Number.POSITIVE_INFINITY } = {}): Answer {
  return (response, { headers }) => {
    const current = headers["if-range"] === undefined || headers["if-range"] === etag;
    const from = current ? Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0) : 0;
    const total = content.length;
    if (from >= total && total > 0) {
      response.writeHead(416, { "content-range": `bytes */${total}` }).end();
      return;
    }
    response.writeHead(from > 0 ? 206 : 200, {
      etag,
      "content-length": total - from,
      ...(from > 0 && { "content-range": `bytes ${from}-${total - 1}/${total}` }),
    });
    send(response, content.subarray(from), cut);
  };
}

/** The body, broken off after `cut` bytes: late enough for the client to have read them. */
export function send(response: ServerResponse, body: Uint8Array, cut = Number.POSITIVE_INFINITY): void {
  if (cut >= body.length) response.end(body);
  else response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 100));
}

export const status =
  (code: number): Answer =>
  (response) =>
    response.writeHead(code).end();

/** `size` bytes in which no part looks like another. */
export function noise(size: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: size }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24);
}

export const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");
