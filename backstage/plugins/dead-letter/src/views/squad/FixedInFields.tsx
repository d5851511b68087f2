import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Radio, RadioGroup, TextField } from '@backstage/ui';
import { ErrorGroupChange } from '@dead-letter/backstage-plugin-dead-letter-common';
import { deadLetterTranslationRef } from '../../translation';

/** Where an error is fixed: in what runs, in the next version, or in one that is named. */
export type FixedIn =
  | { in: 'now' }
  | { in: 'next' }
  | { in: 'version'; version: string };

/** The longest that the service takes. */
const MAX_VERSION = 200;

/** What a change says of it. */
export function fixedBy(
  fixed: FixedIn,
): Pick<ErrorGroupChange, 'inVersion' | 'inNextVersion'> {
  switch (fixed.in) {
    case 'next':
      return { inNextVersion: true };
    case 'version':
      return { inVersion: fixed.version.trim() };
    default:
      return {};
  }
}

interface FixedInFieldsProps {
  fixed: FixedIn;
  onChange: (fixed: FixedIn) => void;
}

/** Asks where an error is fixed. */
export function FixedInFields({ fixed, onChange }: FixedInFieldsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const choose = (choice: string) =>
    onChange(
      choice === 'version'
        ? { in: 'version', version: '' }
        : { in: choice === 'next' ? 'next' : 'now' },
    );
  return (
    <>
      <RadioGroup
        label={t('squad.changeDialog.fixed.title')}
        value={fixed.in}
        onChange={choose}
      >
        <Radio value="now">{t('squad.changeDialog.fixed.now')}</Radio>
        <Radio value="next">{t('squad.changeDialog.fixed.next')}</Radio>
        <Radio value="version">{t('squad.changeDialog.fixed.version')}</Radio>
      </RadioGroup>
      {fixed.in === 'version' && (
        <TextField
          isRequired
          label={t('squad.changeDialog.fixed.name')}
          maxLength={MAX_VERSION}
          value={fixed.version}
          onChange={version => onChange({ in: 'version', version })}
        />
      )}
    </>
  );
}
