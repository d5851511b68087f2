import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Link } from '@backstage/ui';
import {
  Operation,
  OperationDetails,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useAskAgain } from '../../hooks/useDeadLetter';
import { useGroupPath } from '../../hooks/useGroupPath';
import { useServiceTabs } from '../../hooks/useTabs';
import { deadLetterTranslationRef } from '../../translation';
import { Acting } from '../acting';
import styles from './OutcomeList.module.css';
import { sayNumber } from './say';

/** Why messages that were sent died again, most first. */
export function Returns({ returns }: { returns: OperationDetails['returns'] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const groupPath = useGroupPath();
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">{t('operations.column.error')}</th>
          <th scope="col" className={styles.number}>
            {t('operations.column.count')}
          </th>
          <th scope="col" className={styles.number}>
            {t('operations.column.median')}
          </th>
        </tr>
      </thead>
      <tbody>
        {returns.map(each => (
          <tr key={each.errorGroup}>
            <td>
              <Link href={groupPath(each.errorGroup)}>
                {[each.errorType, each.title].filter(Boolean).join(': ') ||
                  each.errorGroup}
              </Link>
            </td>
            <td className={styles.number}>{sayNumber(each.count)}</td>
            <td className={styles.number}>
              {t('operations.seconds', {
                number: sayNumber(each.medianSeconds),
              })}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Acts on what died again of what an operation sent, and leads to it in each of its services. */
export function CameBack({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const services = operation.services ?? [];
  const placeOf = useServiceTabs(services);
  const askAgain = useAskAgain();
  const first = services[0] && placeOf(services[0]);
  return (
    <>
      {first && (
        <div role="group" aria-label={t('operations.cameBackAct')}>
          <Acting
            selection={{ filter: { returnedFrom: operation.id } }}
            services={services}
            resourceRef={first.resourceRef}
            onChanged={() => askAgain()}
          />
        </div>
      )}
      <ul className={styles.links}>
        {services.map(service => {
          const place = placeOf(service, {
            returnedFrom: operation.id,
          });
          return (
            place && (
              <li key={service}>
                <Link href={place.path}>
                  {t('operations.cameBack', { service })}
                </Link>
              </li>
            )
          );
        })}
      </ul>
    </>
  );
}
