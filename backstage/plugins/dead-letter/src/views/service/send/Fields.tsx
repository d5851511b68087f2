import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Flex, Text, TextAreaField, TextField } from '@backstage/ui';
import { deadLetterTranslationRef } from '../../../translation';
import { Sending, Typed } from './request';

/** The most that the service takes. */
const MAX_NOTE = 1_000;

interface FieldsProps {
  sending: Sending;
  /** Whether all of the body is here, as text. */
  canEditBody: boolean;
  typed: Typed;
  onType: (changed: Partial<Typed>) => void;
  note: string;
  onNote: (note: string) => void;
}

/** Where to, and what is changed on the way. */
export function Fields(props: FieldsProps) {
  const { sending, canEditBody, typed, onType, note, onNote } = props;
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Flex direction="column" gap="3">
      {sending === 'copy' && (
        <>
          <TextField
            label={t('send.queue')}
            value={typed.routingKey}
            onChange={routingKey => onType({ routingKey })}
          />
          <TextField
            label={t('send.exchange')}
            description={t('send.exchangeHint')}
            value={typed.exchange}
            onChange={exchange => onType({ exchange })}
          />
        </>
      )}
      {canEditBody ? (
        <TextAreaField
          label={t('send.body')}
          rows={10}
          value={typed.body}
          onChange={body => onType({ body })}
        />
      ) : (
        <Text color="secondary">{t('send.bodyFixed')}</Text>
      )}
      <TextAreaField
        label={t('send.setHeaders')}
        description={t('send.setHeadersHint')}
        rows={2}
        value={typed.setHeaders}
        onChange={setHeaders => onType({ setHeaders })}
      />
      <TextField
        label={t('send.removeHeaders')}
        description={t('send.removeHeadersHint')}
        value={typed.removeHeaders}
        onChange={removeHeaders => onType({ removeHeaders })}
      />
      <TextField
        label={t('send.note')}
        maxLength={MAX_NOTE}
        value={note}
        onChange={onNote}
      />
    </Flex>
  );
}
