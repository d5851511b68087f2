import {
  TranslationApi,
  TranslationRef,
  TranslationSnapshot,
} from '@backstage/frontend-plugin-api';
import { createInstance } from 'i18next';
import { createElement, Fragment, isValidElement } from 'react';

const LANGUAGE = 'en';

/** A reference has its texts, though its type does not tell. */
type WithTexts = { getDefaultMessages(): Record<string, string> };

/** Stands for an element while a text is filled in: no text contains this character. */
const MARK = '\uE000';

/** As in Backstage, a value may be an element: then the text is one too. */
function withElements(t: (...given: any[]) => string) {
  return (key: string, values?: Record<string, unknown>) => {
    const elements: unknown[] = [];
    const filled = Object.fromEntries(
      Object.entries(values ?? {}).map(([name, value]) => [
        name,
        isValidElement(value)
          ? `${MARK}${elements.push(value) - 1}${MARK}`
          : value,
      ]),
    );
    const text = t(key, filled);
    if (elements.length === 0) return text;
    const parts = text
      .split(MARK)
      .map((part, index) => (index % 2 ? elements[Number(part)] : part));
    return createElement(Fragment, null, ...(parts as any[]));
  };
}

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
    const t = withElements(i18n.getFixedT(null, ref.id) as any) as any;
    const snapshot = { ready: true, t };
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
