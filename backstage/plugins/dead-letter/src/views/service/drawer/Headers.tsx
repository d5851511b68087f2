import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { CopyButton } from '../../../components/CopyButton';
import { deadLetterTranslationRef } from '../../../translation';
import { HeaderValue } from './HeaderValue';
import { Section } from './Section';
import { TypedValue } from './amqpType';
import { useTypeName } from './useTypeName';
import styles from './drawer.module.css';

interface HeadersProps {
  /** Of type `TypedValue`, which the API's document does not say. */
  headers: Record<string, unknown>;
  /** The same, to be copied. */
  plain: Record<string, unknown>;
}

/** The headers, with the types that they have on the wire. */
export function Headers({ headers, plain }: HeadersProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const typeName = useTypeName();
  const rows = Object.entries(headers) as [string, TypedValue][];
  if (rows.length === 0) {
    return (
      <Section title={t('message.headers.title')}>
        <p className={styles.quiet}>{t('message.headers.none')}</p>
      </Section>
    );
  }
  return (
    <Section
      title={t('message.headers.title')}
      aside={
        <Text variant="body-small" color="secondary">
          {rows.length.toLocaleString()}
        </Text>
      }
      actions={
        <CopyButton
          what={t('message.headers.copy')}
          text={JSON.stringify(plain, null, 2)}
        />
      }
    >
      <table className={styles.headers}>
        <thead>
          <tr>
            <th scope="col">{t('message.headers.name')}</th>
            <th scope="col">{t('message.headers.type')}</th>
            <th scope="col">{t('message.headers.value')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className={styles.type}>{typeName(value)}</td>
              <td>
                <HeaderValue name={name} value={value} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
