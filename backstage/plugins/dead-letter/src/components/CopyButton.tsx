import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { ButtonIcon } from '@backstage/ui';
import { RiCheckLine, RiFileCopyLine } from '@remixicon/react';
import { useEffect, useState } from 'react';
import { deadLetterTranslationRef } from '../translation';

/** How long it says that it has. */
const SAID_FOR_MS = 1_500;

/** Copies a text to the clipboard. */
export function CopyButton({ what, text }: { what: string; text: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { copied, copy } = useCopy(text);
  return (
    <ButtonIcon
      size="small"
      variant="tertiary"
      aria-label={copied ? t('common.copied') : t('common.copy', { what })}
      icon={copied ? <RiCheckLine /> : <RiFileCopyLine />}
      onPress={copy}
    />
  );
}

/** A way to copy a text, and whether that has just been done. */
export function useCopy(text: string) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return { copied, copy };
}
