import { IncomingMessage, ServerResponse, createServer } from 'http';
import { AddressInfo } from 'net';

/** A request as dead-letter got it. */
export interface Got {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** In dead-letter's place: it listens, and writes down what it gets. */
export class Upstream {
  readonly got: Got[] = [];
  answer: Answer = (_, response) => response.end('{}');
  private readonly server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    this.got.push({
      method,
      url,
      headers,
      body: String(Buffer.concat(chunks)),
    });
    this.answer(request, response);
  });

  async start(): Promise<string> {
    await new Promise<void>(resolve =>
      this.server.listen(0, '127.0.0.1', resolve),
    );
    const { port } = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async end(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }
}
