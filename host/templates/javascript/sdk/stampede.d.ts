// The types of `stampede.js`, for editors and type checkers; what each name does stands there.

export type Kind = 'timeout' | 'status' | 'network' | 'check' | 'protocol' | 'plugin';
export type Version = 'negotiate' | 'http1' | 'http2';
export type Params = Record<string, any>;
type Pairs<T> = [name: string, value: T][];

/** What `yield` takes: an operation that gives a `T`. */
export interface Operation<T> {
  readonly number: number | undefined;
  readonly outcome: (number: number) => T;
}
/** What `yield*` takes: steps that return a `T`. */
export type Steps<T> = Generator<Operation<any>, T, any>;

// The numbers that the host gives to what it has prepared.
export type Template = number;
export type Request = number;
export type Metric = number;
export type Exchange = number;
export type Row = number;
export type Socket = number;

export interface Options {
  version: Version;
  maxRedirects: number;
  compression: boolean;
  keepBody: boolean;
}
export interface TlsOptions {
  serverName?: string;
  alpn: string[];
}
export type Body = { tag: 'none' } | { tag: 'text' | 'json'; val: Template };

// The interfaces of the contract, for what has no function here, such as `report.add` and `user.setVariable`.
export const log: any;
export const report: any;
export const sockets: any;
export const timer: any;
export const user: any;

export class Failure {
  constructor(kind: Kind, detail?: string);
  readonly kind: Kind;
  readonly detail: string | undefined;
}
export class Ended {}
export class ConfigError {
  constructor(message: string, key?: string, help?: string);
  readonly message: string;
  readonly pointer: string;
  readonly help: string | undefined;
}
export interface Reply {
  readonly status: number;
  readonly bodyBytes: bigint;
  readonly duration: bigint;
  header(name: string): string | undefined;
  body(): Uint8Array;
  text(): string;
  times(): { start: bigint; headed: bigint; end: bigint; fresh: boolean };
  fingerprint(): bigint;
}

/** A class with a step's `run`. */
export interface ActionClass {
  readonly action: { name: string; summary: string; schema: object; setsVariables?: boolean };
  new (params: Params): { run(): Steps<void> | void };
}

export function template(params: Params, key: string, otherwise?: string): Template;
export function options(chosen?: Partial<Options>): Options;
export function request(
  method: string,
  url: Template,
  more?: { headers?: Pairs<Template>; query?: Pairs<Template>; body?: Body; how?: Options },
): Request;
export function metric(
  name: string,
  kind?: 'counter' | 'gauge' | 'rate' | 'trend',
  unit?: 'number' | 'nanoseconds' | 'bytes',
): Metric;
export function row(name: string, more?: { byDesign?: boolean }): Row;
export function lasts(seconds: number): void;
export function connections(most: number): void;
export function render(number: Template): string;
export function now(): number;
export function isoNow(): string;
export function random(): number;
export function hostAndPort(text: string, defaultPort?: number): [host: string, port: number];
export function send(prepared: Request): Operation<Reply>;
export function sendNow(
  method: string,
  url: string,
  more?: { headers?: Pairs<string>; body?: Uint8Array; how?: Options },
): Operation<Reply>;
export function begin(
  row: Row,
  method: string,
  url: string,
  more?: { headers?: Pairs<string>; body?: Uint8Array; how?: Options },
): Operation<Reply>;
export function progress(operation: Operation<Reply>): { headed: bigint | undefined; content: bigint };
export function leaveIn(row: Row, operation: Operation<Reply>): void;
export function ending(): void;
export function sleep(seconds: number): Operation<undefined>;
export function turn(): Steps<void>;
export function activeTime(): number;
export function connect(host: string, port: number, tls?: TlsOptions): Operation<Socket>;
export function secure(socket: Socket, tls?: Partial<TlsOptions>): Operation<undefined>;
export function close(socket: Socket): void;
export function write(socket: Socket, data: Uint8Array): Operation<undefined>;
export function read(socket: Socket, most?: number): Operation<Uint8Array>;
export function readExact(socket: Socket, length: number): Steps<Uint8Array>;
export function readUntil(socket: Socket, delimiter: string | Uint8Array, most?: number): Steps<Uint8Array>;
export function openStream(prepared: Request): Exchange;
export function head(exchange: Exchange): Operation<number>;
export function readStream(exchange: Exchange): Operation<Uint8Array>;
export function leave(exchange: Exchange): void;
export function giveUp(operation: Operation<any>): void;
export function plugin(name: string, version: string, ...actions: ActionClass[]): object;
