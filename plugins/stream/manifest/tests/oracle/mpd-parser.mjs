// Prints what mpd-parser makes of the fixtures that it reads as players do: `node mpd-parser.mjs > mpd-parser.txt` in
// this folder, beside `npm install mpd-parser@1.4.0`. Each line is a segment: its URL, its start and its duration in
// microseconds, and the URL of its initialization segment.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const { parse } = createRequire(import.meta.url)('mpd-parser');
const FOLDER = '../fixtures/dash/';
const NAMES = [
  'audio-only', 'base-urls', 'clocks', 'large-numbers', 'live-no-update', 'live-number', 'live-timeline',
  'similar-ladders', 'switching', 'vod-number', 'vod-timeline',
];

const micros = (seconds) => Math.round(seconds * 1e6);

for (const name of NAMES) {
  const manifestUri = `https://site/a/b/${name}.mpd?token=a%2Fb`;
  const options = { manifestUri, NOW: Date.parse('2026-12-01T00:00:00Z') };
  const { playlists, mediaGroups } = parse(fs.readFileSync(`${FOLDER}${name}.mpd`, 'utf8'), options);
  const groups = [mediaGroups.AUDIO, mediaGroups.SUBTITLES].flatMap((kind) => Object.values(kind));
  const others = groups.flatMap((group) => Object.values(group)).flatMap((rendition) => rendition.playlists);
  console.log(`== ${name}`);
  for (const { resolvedUri, presentationTime, duration, map } of [...playlists, ...others].flatMap((it) => it.segments)) {
    // Without an initialization segment, mpd-parser names the base URL.
    const init = map?.resolvedUri === undefined || /\.mpd|\/$/.test(map.resolvedUri) ? '-' : map.resolvedUri;
    console.log(`${resolvedUri} ${micros(presentationTime ?? 0)} ${micros(duration)} ${init}`);
  }
}
