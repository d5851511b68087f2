import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Button, Text } from '@backstage/ui';
import { DeadLetteredMessageDetails } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiDownloadLine } from '@remixicon/react';
import { useMemo } from 'react';
import { Failed } from '../../../components/Failed';
import { CopyButton } from '../../../components/CopyButton';
import { deadLetterTranslationRef } from '../../../translation';
import { Code } from './Code';
import { Section } from './Section';
import { ReadableBody, readableBody } from './readableBody';
import { useDownload } from './useDownload';
import styles from './drawer.module.css';

const EXTENSIONS = { json: 'json', text: 'txt', hex: 'bin', empty: 'bin' };

/** What was sent. */
export function Body({ message }: { message: DeadLetteredMessageDetails }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { body, bodySize, id } = message;
  const readable = useMemo(() => readableBody(body), [body]);
  const { kind } = readable;
  const download = useDownload(id, `${id}.${EXTENSIONS[kind]}`);
  const number = bodySize.toLocaleString();
  const whole = kind === 'hex' ? 'copyBase64' : 'copy';
  const copied = body.truncated ? 'copyHead' : whole;
  const about = [
    t(`message.body.kind.${kind}`),
    body.contentType,
    body.decodedFrom && t('message.body.decoded', { from: body.decodedFrom }),
    t('message.body.size', { count: bodySize, number }),
  ];
  return (
    <Section
      title={t('message.body.title')}
      aside={
        <Text variant="body-small" color="secondary">
          {about.filter(Boolean).join(' · ')}
        </Text>
      }
      actions={
        kind !== 'empty' && (
          <>
            <CopyButton
              what={t(`message.body.${copied}`)}
              text={body.content}
            />
            <Button
              size="small"
              variant="secondary"
              iconStart={<RiDownloadLine />}
              isPending={download.isPending}
              onPress={() => download.mutate()}
            >
              {t('message.body.download')}
            </Button>
          </>
        )
      }
    >
      <Failed title={t('message.body.downloadFailed')} error={download.error} />
      <Content readable={readable} number={number} />
    </Section>
  );
}

interface ContentProps {
  readable: ReadableBody;
  number: string;
}

function Content({ readable, number }: ContentProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { kind, text, cut } = readable;
  if (kind === 'empty') {
    return <p className={styles.quiet}>{t('message.body.empty')}</p>;
  }
  return (
    <>
      {cut && (
        <Alert status="info" icon title={t('message.body.cut', { number })} />
      )}
      <Code label={t('message.body.title')} text={text} wrap={kind !== 'hex'} />
    </>
  );
}
