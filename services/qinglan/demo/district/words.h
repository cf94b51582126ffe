// The words that the demo is written in: names of people and places, titles, sentences of reviews. All
// invented.
#pragma once

#include <span>
#include <string_view>

namespace qinglan::demo::words {

std::span<const std::string_view> FamilyNames();
std::span<const std::string_view> GivenNames();
std::span<const std::string_view> Villages();
std::span<const std::string_view> Towns();
std::span<const std::string_view> Grades();
std::span<const std::string_view> LessonTopics();
std::span<const std::string_view> Strengths();    // of a lesson, for a review
std::span<const std::string_view> Suggestions();  // after it
std::span<const std::string_view> Replies();
std::span<const std::string_view> PreparationContents();
std::span<const std::string_view> ResearchTopics();
std::span<const std::string_view> Journals();
std::span<const std::string_view> ContactNotes();

}  // namespace qinglan::demo::words
