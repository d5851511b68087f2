import {
  TranslationApi,
  TranslationRef,
  TranslationSnapshot,
} from '@backstage/frontend-plugin-api';
import { createInstance } from 'i18next';

const LANGUAGE = 'en';

/** A reference has its texts, though its type does not tell. */
type WithTexts = { getDefaultMessages(): Record<string, string> };

/** The texts of the plugin, as Backstage tells them: in English only. */
export function translations(): TranslationApi {
  const i18n = createInstance({
    lng: LANGUAGE,
    supportedLngs: [LANGUAGE],
    // React escapes.
    interpolation: { escapeValue: false },
    ns: [],
    defaultNS: false,
    fallbackNS: false,
    initImmediate: false,
  });
  i18n.init();
  const snapshots = new Map<string, TranslationSnapshot<any>>();
  const snapshotOf = (ref: TranslationRef<string, any>) => {
    const known = snapshots.get(ref.id);
    if (known) return known;
    const texts = (ref as unknown as WithTexts).getDefaultMessages();
    i18n.addResourceBundle(LANGUAGE, ref.id, texts);
    const snapshot = { ready: true, t: i18n.getFixedT(null, ref.id) as any };
    snapshots.set(ref.id, snapshot);
    return snapshot;
  };
  return {
    getTranslation: snapshotOf,
    // The language does not change.
    translation$: () => ({
      subscribe: () => ({ unsubscribe() {}, closed: true }),
      [Symbol.observable]() {
        return this;
      },
    }),
  };
}
