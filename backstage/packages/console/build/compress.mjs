import { readdir, readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

/** Smaller ones are not worth it. */
const SMALLEST = 1_024;
const TEXTS = /\.(js|css|svg|json)$/;

/** Puts a compressed copy beside each asset, so that the service need not compress anything. */
export function compress() {
  let folder;
  return {
    name: 'compress',
    apply: 'build',
    configResolved({ build }) {
      folder = build.outDir;
    },
    async closeBundle() {
      const names = await readdir(folder, { recursive: true });
      for (const name of names.filter(each => TEXTS.test(each))) {
        const bytes = await readFile(`${folder}/${name}`);
        if (bytes.length < SMALLEST) continue;
        await writeFile(`${folder}/${name}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}
