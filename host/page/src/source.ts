// The two sources of a log: the data that a saved page embeds, and the events of a run that is still going on.

import { asEvent, type LogEvent } from "./log";

/** Text of a saved page's data, or of another saved page that is dropped on this one. */
export interface Embedded {
  encoding: "gzip+base64" | "plain";
  data: string;
}

/** Reads the log that an element with the data of a saved page holds; null if it is a live page's, which is empty. */
export async function readEmbedded(text: string): Promise<LogEvent[] | null> {
  if (text.trim() === "") return null;
  const embedded = JSON.parse(text) as Embedded;
  const json = embedded.encoding === "plain" ? embedded.data : await inflate(embedded.data);
  const events: LogEvent[] = [];
  // A line is an event, so that no single text of the whole log has to be parsed at once.
  for (let at = 0; at < json.length; ) {
    const end = json.indexOf("\n", at);
    const event = asEvent(JSON.parse(json.slice(at, end === -1 ? json.length : end)));
    if (event) events.push(event);
    if (end === -1) break;
    at = end + 1;
  }
  return events;
}

async function inflate(base64: string): Promise<string> {
  const binary = atob(base64);
  const raw = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) raw[at] = binary.charCodeAt(at);
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/** What a live page hears of its connection. */
export interface LiveListener {
  event(event: LogEvent): void;
  state(state: "connected" | "reconnecting" | "closed"): void;
}

/**
 * Follows a run. The browser reconnects on its own and says which second it had last; after the end of the run there
 * is nothing to reconnect to.
 */
export function follow(url: string, listener: LiveListener): void {
  const source = new EventSource(url);
  const take = (message: MessageEvent<string>): void => {
    const event = asEvent(JSON.parse(message.data));
    if (!event) return;
    listener.event(event);
    if (event.type === "end") {
      source.close();
      listener.state("closed");
    }
  };
  for (const type of ["hello", "tick", "end"]) source.addEventListener(type, take as EventListener);
  source.onopen = () => listener.state("connected");
  source.onerror = () => listener.state(source.readyState === EventSource.CLOSED ? "closed" : "reconnecting");
}
