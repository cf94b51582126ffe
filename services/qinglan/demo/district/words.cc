#include "services/qinglan/demo/district/words.h"

#include <array>

namespace qinglan::demo::words {
namespace {

using Word = std::string_view;

constexpr std::array<Word, 40> kFamilyNames = {"王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周",
                                               "徐", "孙", "马", "朱", "胡", "郭", "何", "高", "林", "罗",
                                               "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹",
                                               "彭", "曾", "肖", "田", "董", "潘", "袁", "蔡", "蒋", "余"};
constexpr std::array<Word, 48> kGivenNames = {
    "晓梅", "建国", "雨桐", "思远", "海燕", "志强", "文静", "春华", "秋实", "立新", "雅琴", "明辉",
    "丽娟", "国栋", "子涵", "慧敏", "永平", "若兰", "振宇", "素芬", "嘉怡", "学文", "玉洁", "长青",
    "静怡", "德明", "冬梅", "浩然", "秀英", "俊杰", "婉清", "培元", "红霞", "致远", "佳音", "启航",
    "淑贞", "景行", "小满", "向阳", "清扬", "泽民", "映雪", "树人", "采薇", "弘毅", "念慈", "知行"};
constexpr std::array<Word, 20> kVillages = {"柳湾", "石桥", "青岗", "白塔", "双河", "杏花", "松坪",
                                            "龙泉", "竹溪", "梅岭", "响水", "云峰", "沙洲", "红岩",
                                            "枫林", "茶亭", "桃源", "鹿鸣", "清溪", "望江"};
constexpr std::array<Word, 20> kTowns = {"城关", "实验", "育才", "明德", "启明", "文昌", "东湖",
                                         "西城", "南山", "北关", "新城", "中山", "树人", "致远",
                                         "弘文", "滨江", "学府", "春晖", "朝阳", "阳光"};
constexpr std::array<Word, 3> kGrades = {"低年级", "中年级", "高年级"};
constexpr std::array<Word, 24> kLessonTopics = {
    "第一单元起始课", "单元整合复习", "概念的引入", "从情境到问题", "例题变式", "实验探究",
    "朗读与品析",     "写作指导",     "口语交际",   "阅读策略",     "思维导图", "错题讲评",
    "小组合作",       "项目学习",     "数据的分析", "图形的认识",   "古诗两首", "课外阅读交流",
    "听说训练",       "跨学科主题",   "期中讲评",   "期末复习",     "习题课",   "拓展应用"};
constexpr std::array<Word, 10> kStrengths = {"目标明确,环节紧凑,学生参与面广。",
                                             "导入自然,问题设计有层次。",
                                             "板书清晰,重点突出。",
                                             "关注学困生,追问到位。",
                                             "情境真实,学生乐于表达。",
                                             "练习分层,反馈及时。",
                                             "教态亲切,课堂氛围好。",
                                             "合作学习有实效,分工明确。",
                                             "信息技术使用恰当,不喧宾夺主。",
                                             "评价语言丰富,能够激励学生。"};
constexpr std::array<Word, 10> kSuggestions = {"建议多留一些时间让学生独立思考。",
                                               "小组讨论前可以先明确任务和时间。",
                                               "结尾的小结可以交给学生来做。",
                                               "提问面可以再广一些,关注后排学生。",
                                               "板书可以更有结构。",
                                               "练习的难度可以再拉开一点。",
                                               "可以减少教师的讲解,增加学生的表达。",
                                               "生成性的问题值得停下来追问。",
                                               "可以结合单元目标再提炼一次。",
                                               "注意课堂节奏,后半段略赶。"};
constexpr std::array<Word, 5> kReplies = {"谢谢指导,下一课时会改进提问方式。",
                                          "建议很具体,已经在平行班重新试教。", "同意,小结环节下次交给学生。",
                                          "关于时间分配,想再请教一次。", "已按建议修改教案。"};
constexpr std::array<Word, 12> kPreparationContents = {
    "单元教学目标与重难点", "作业分层设计", "期中复习安排",   "概念课的课型研究",
    "习题课的变式设计",     "单元整体设计", "学困生辅导策略", "试卷分析",
    "实验器材与安全",       "阅读课型研讨", "课堂提问设计",   "期末复习安排"};
constexpr std::array<Word, 16> kResearchTopics = {"单元整体教学的设计与实施",
                                                  "分层作业的有效性",
                                                  "课堂提问的改进",
                                                  "乡村学校小班化教学",
                                                  "阅读策略的教学",
                                                  "实验教学中的安全与探究",
                                                  "学习困难学生的支持",
                                                  "信息技术融入课堂",
                                                  "跨学科主题学习",
                                                  "课堂观察量表的使用",
                                                  "青年教师的成长路径",
                                                  "集体备课的实效",
                                                  "表现性评价",
                                                  "口算能力的培养",
                                                  "写作支架的设计",
                                                  "家校沟通的方式"};
constexpr std::array<Word, 8> kJournals = {"基础教育研究", "教学与管理", "小学教学参考", "中学教学月刊",
                                           "课程与教学",   "教研天地",   "学科教育通讯", "教师发展"};
constexpr std::array<Word, 6> kContactNotes = {"听课后交流了提问的设计。", "一起备了下周的起始课。",
                                               "讨论了班级管理中的困难。", "看了教案,提了修改意见。",
                                               "交流了期中讲评的做法。",   "读了同一篇课例,谈了体会。"};

}  // namespace

std::span<const Word> FamilyNames() { return kFamilyNames; }
std::span<const Word> GivenNames() { return kGivenNames; }
std::span<const Word> Villages() { return kVillages; }
std::span<const Word> Towns() { return kTowns; }
std::span<const Word> Grades() { return kGrades; }
std::span<const Word> LessonTopics() { return kLessonTopics; }
std::span<const Word> Strengths() { return kStrengths; }
std::span<const Word> Suggestions() { return kSuggestions; }
std::span<const Word> Replies() { return kReplies; }
std::span<const Word> PreparationContents() { return kPreparationContents; }
std::span<const Word> ResearchTopics() { return kResearchTopics; }
std::span<const Word> Journals() { return kJournals; }
std::span<const Word> ContactNotes() { return kContactNotes; }

}  // namespace qinglan::demo::words
