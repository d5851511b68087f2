import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { DialogBody, DialogHeader, Switch, Text } from '@backstage/ui';
import { useState } from 'react';
import { Answered } from '../../../components/Answered';
import { Drawer } from '../../../components/Drawer';
import { Scrolled } from '../../../components/Scrolled';
import { useAnswer } from '../../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../../translation';
import tableStyles from '../../operations/OutcomeList.module.css';
import { sayId } from '../../operations/say';
import { messageKey } from '../drawer';
import drawer from '../drawer/drawer.module.css';
import { Compared, MOST, PARTS, Part, compare } from './differences';

interface CompareDrawerProps {
  ids: [string, string];
  onClose: () => void;
}

/** Two dead letters side by side: what is not the same in them. */
export function CompareDrawer({ ids, onClose }: CompareDrawerProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const one = useMessage(ids[0]);
  const other = useMessage(ids[1]);
  const [isWhole, setWhole] = useState(false);
  return (
    <Drawer onClose={onClose}>
      <DialogHeader>{t('compare.title')}</DialogHeader>
      <DialogBody>
        <Switch
          label={t('compare.whole')}
          isSelected={isWhole}
          onChange={setWhole}
        />
        <Answered answer={one}>
          {left => (
            <Answered answer={other}>
              {right => {
                const found = compare(left, right);
                return PARTS.map(part => (
                  <PartTable
                    key={part}
                    part={part}
                    ids={ids}
                    rows={found[part]}
                    isWhole={isWhole}
                  />
                ));
              }}
            </Answered>
          )}
        </Answered>
      </DialogBody>
    </Drawer>
  );
}

function useMessage(id: string) {
  return useAnswer(
    messageKey(id),
    (client, signal) => client.message(id, signal),
    { keep: false },
  );
}

interface PartTableProps {
  part: Part;
  ids: [string, string];
  rows: Compared[];
  /** Whether what is the same is shown too. */
  isWhole: boolean;
}

function PartTable({ part, ids, rows, isWhole }: PartTableProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const shown = rows.filter(({ isSame }) => isWhole || !isSame);
  const title = t(`compare.part.${part}`);
  return (
    <section aria-label={title} className={drawer.section}>
      <Text as="h3" variant="title-x-small">
        {title}
      </Text>
      {shown.length === 0 ? (
        <Text color="secondary">{t('compare.same')}</Text>
      ) : (
        <Scrolled least="32rem" label={title}>
          <table className={tableStyles.table}>
            <thead>
              <tr>
                <th scope="col">{t('compare.value')}</th>
                {ids.map(id => (
                  <th scope="col" key={id}>
                    {sayId(id)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map(({ path, values, isSame }) => (
                <tr key={path} data-differs={!isSame || undefined}>
                  <th scope="row">{path || t('compare.all')}</th>
                  {values.map((value, side) => (
                    <td key={ids[side]}>{value ?? '–'}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolled>
      )}
      {rows.length >= MOST && (
        <Text color="secondary">
          {t('compare.cut', { number: MOST.toLocaleString() })}
        </Text>
      )}
    </section>
  );
}
